/** The Python children of a run, from its settings: what each is started with, and what it tells of itself. */
import type { Settings } from '../../config/settings.ts';
import type { Instance } from '../../plan/types.ts';
import {
  sidecarScript,
  type SidecarProgram,
  type SidecarSurroundings,
} from '../../services/sidecar-command.ts';
import { sidecarSpec, type SidecarOptions } from '../../services/sidecar.ts';
import type { SidecarReady } from '../../services/sidecar-ready.ts';
import type { Job } from '../../slurm/job.ts';
import type { ChildSpec } from '../../supervise/spec.ts';
import { deviceStatus, type DeviceStatus } from './device.ts';

/** Silence after which a start is given up: PyTorch and ten gigabytes come from a network file system. */
const startTimeoutMs = 300_000;

export type Holds = Pick<SidecarProgram, 'rerank' | 'encode'>;

/** The same for the check before the start and for the start. */
export const sidecarProgram = (
  settings: Settings,
  { kind, gpus: given, cpus }: Pick<Job, 'kind' | 'gpus' | 'cpus'>,
  { gpus }: Pick<Instance, 'gpus'>,
  holds: Holds,
): SidecarProgram & Omit<SidecarSurroundings, 'baseEnv'> => ({
  ...holds,
  python: settings.RERANKER_PYTHON,
  script: sidecarScript,
  halfPrecision: settings.RERANKER_USE_FP16,
  batchSize: settings.RERANKER_BATCH_SIZE,
  // Nobody said which GPUs there are: then it finds them itself.
  gpus: given === null ? null : gpus,
  cpus,
  // A laptop has none. Who gave it one, or a job, wants it used.
  allowCpu:
    settings.RAG_ALLOW_CPU ||
    (gpus.length === 0 &&
      (kind === 'local' || (holds.encode.length > 0 && settings.RETRIEVER_GPU === 'cpu'))),
});

export interface SidecarInput
  extends
    ReturnType<typeof sidecarProgram>,
    Pick<SidecarOptions, 'id' | 'baseEnv' | 'supervisorId' | 'cwd' | 'logFile' | 'graceMs'> {
  readonly onReady?: (ready: SidecarReady) => void;
  readonly onDevice: (id: string, device: DeviceStatus) => void;
}

export function sidecarOf({ onReady, onDevice, ...options }: SidecarInput): ChildSpec {
  let latest: SidecarReady | undefined;
  return sidecarSpec({
    ...options,
    startTimeoutMs,
    onReady: (ready) => {
      latest = ready;
      onDevice(options.id, deviceStatus(ready, null));
      onReady?.(ready);
    },
    onStats: (stats) => {
      if (latest !== undefined) onDevice(options.id, deviceStatus(latest, stats));
    },
  });
}
