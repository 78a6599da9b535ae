/** What a plan's models need of memory, and what there is: asked of the model store, the driver and the kernel. */
import type { Environment } from '../config/load.ts';
import type { Settings } from '../config/settings.ts';
import { readGpuSizes } from '../machine/gpu-sizes.ts';
import { readHostMemory } from '../machine/host-memory.ts';
import { type ModelShape, readShape } from '../machine/model-shape.ts';
import { readModel } from '../machine/model-store.ts';
import { knownModels } from '../plan/known-models.ts';
import { makeMemory, type MemoryLine } from '../plan/memory.ts';
import type { Plan } from '../plan/types.ts';
import { findProgram } from '../supervise/death-signal.ts';
import { embedOptions, generateOptions } from './models-in-force.ts';

export interface MemoryRequest {
  readonly plan: Plan;
  readonly settings: Settings;
  readonly environment: Environment;
  /** Sizes of GPUs that are not here; undefined: those of this machine. */
  readonly assumed: ReadonlyMap<string, number> | undefined;
  readonly signal: AbortSignal;
}

/** One line for each instance whose model is in the store, or known by its name. Empty for the embedded engine. */
export async function readMemory(request: MemoryRequest): Promise<MemoryLine[]> {
  const { plan, settings, assumed } = request;
  if (plan.engine !== 'ollama') return [];
  return makeMemory({
    instances: plan.instances,
    shapes: await readShapes(plan, settings.OLLAMA_MODELS),
    contextOf: ({ role }) => (role === 'generate' ? generateOptions : embedOptions(settings)).num_ctx,
    gpuBytes: assumed ?? (await sizesHere(request)),
    hostBytes: assumed === undefined ? await readHostMemory() : null,
  });
}

async function readShapes(plan: Plan, store: string): Promise<ReadonlyMap<string, ModelShape>> {
  const shapes = new Map<string, ModelShape>();
  for (const { role, model } of plan.instances) {
    if (role === 'rerank' || shapes.has(model)) continue;
    const stored = await readModel(store, model).catch(() => 'no-store' as const);
    const shape = typeof stored === 'string' ? knownModels.get(model) : await readShape(stored);
    if (shape !== undefined) shapes.set(model, shape);
  }
  return shapes;
}

async function sizesHere({ environment, signal }: MemoryRequest): Promise<ReadonlyMap<string, number>> {
  const nvidiaSmi = findProgram('nvidia-smi', environment['PATH'] ?? '');
  // A driver that has to initialise its cards first takes seconds.
  return nvidiaSmi === undefined ? new Map() : readGpuSizes(nvidiaSmi, { timeoutMs: 30_000, signal });
}
