/** What a plan's models need of memory, and what there is: asked of the model store, the driver and the kernel. */
import type { Environment } from '../../config/load.ts';
import type { Settings } from '../../config/settings.ts';
import { readGpuSizes } from '../../machine/gpu-sizes.ts';
import { readHostMemory } from '../../machine/host-memory.ts';
import { type ModelShape, readShape } from '../../machine/model-shape.ts';
import { readModel } from '../../machine/model-store.ts';
import { knownModels } from '../../plan/known-models.ts';
import { embeddersFor, inAnswering, makeLayoutMemory, withLayouts } from '../../plan/layouts.ts';
import type { MemoryLine } from '../../plan/memory.ts';
import type { Instance, Plan } from '../../plan/types.ts';
import { findProgram } from '../../supervise/death-signal.ts';
import { embedOptions, generateOptions } from './models-in-force.ts';

export interface MemoryRequest {
  readonly settings: Settings;
  readonly environment: Environment;
  /** Sizes of GPUs that are not here; undefined: those of this machine. */
  readonly assumed: ReadonlyMap<string, number> | undefined;
  /** What the run does, where generator and embed servers may not fit beside each other; absent: they are left so. */
  readonly work?: 'ingests-then-answers' | 'answers' | undefined;
  readonly signal: AbortSignal;
}

export interface FittedPlan {
  readonly plan: Plan;
  /** One line for each instance whose model is in the store, or known by its name. Empty for the embedded engine. */
  readonly memory: readonly MemoryLine[];
}

/**
 * A plan with as many embed servers as there are GPUs with room for one, unless a number was asked for, and what it needs
 * of memory.
 *
 * @param make the plan with that many embed servers
 */
export async function fitPlan(
  make: (embedders: number | 'auto') => Plan,
  request: MemoryRequest,
): Promise<FittedPlan> {
  const { settings, assumed } = request;
  const plan = make(settings.OLLAMA_INSTANCES);
  if (plan.engine !== 'ollama') return { plan, memory: [] };
  const facts = {
    shapes: await readShapes(plan, settings.OLLAMA_MODELS),
    contextOf: ({ role }: Instance) =>
      (role === 'generate' ? generateOptions : embedOptions(settings)).num_ctx,
    gpuBytes: assumed ?? (await sizesHere(request)),
    hostBytes: assumed === undefined ? await readHostMemory() : null,
  };
  const wanted = settings.OLLAMA_INSTANCES;
  const beside = wanted === 'auto' ? make(besideOthers(plan, facts)) : plan;
  const fitted = inLayouts(request.work, beside, facts, { embedders: wanted, layouts: settings.RAG_LAYOUTS });
  return { plan: fitted, memory: makeLayoutMemory(fitted, facts) };
}

const inLayouts = (work: MemoryRequest['work'], ...given: Parameters<typeof withLayouts>): Plan =>
  work === 'ingests-then-answers'
    ? withLayouts(...given)
    : work === 'answers'
      ? inAnswering(...given)
      : given[0];

/** A server embeds one text at a time, so that only servers make it faster. One where nothing is known of memory. */
function besideOthers(plan: Plan, facts: Parameters<typeof embeddersFor>[0]): number | 'auto' {
  const [embedder] = plan.instances.filter(({ role }) => role === 'embed');
  if (embedder === undefined || plan.embedder !== 'ollama') return 'auto';
  const others = plan.instances.filter((instance) => instance !== embedder);
  return embeddersFor(facts, embedder, others);
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

/** A start waits for it, and goes on without: one before a card that fell off its bus never answers. */
const sizesMs = 3_000;

async function sizesHere({ environment, signal }: MemoryRequest): Promise<ReadonlyMap<string, number>> {
  const nvidiaSmi = findProgram('nvidia-smi', environment['PATH'] ?? '');
  return nvidiaSmi === undefined ? new Map() : readGpuSizes(nvidiaSmi, { timeoutMs: sizesMs, signal });
}
