/** The state of a supervisor as others see it: in its state file, at /status and in the verb `status`. Pure. */
import { etaSeconds } from '../../observe/pace.ts';
import type { Layout, Plan } from '../../plan/types.ts';
import type { ChildStatus } from '../../supervise/spec.ts';
import type { IngestProgress } from '../../work.ts';
import type { DeviceStatus } from '../services/device.ts';
import type { Phase } from '../life/phase.ts';

/** SPEC 13, `status --json`. */
export interface SupervisorStatus {
  readonly job: string;
  readonly phase: Phase;
  readonly services: readonly ServiceStatus[];
  readonly progress: {
    readonly documents_done: number;
    readonly documents_total: number | null;
    /** Of those that are done: set aside, with their reasons in the log. Older ones do not say it. */
    readonly documents_failed?: number;
    readonly eta_s: number | null;
  };
  readonly endpoint: { readonly url: string | null; readonly socket: string | null };
  /** RAG_RETRIEVER */
  readonly retriever: string;
  readonly containment: ContainmentName;
  /** Whether other users of the node can reach Ollama, which has no authentication; `remote`: it is another job's. */
  readonly network: 'private' | 'shared' | 'remote';
  /** Why containment or network is not the strongest; null when both are. */
  readonly containment_reason: string | null;
  readonly time_left_s: number | null;
  readonly node: string;
  /** The step of Slurm that it is a task of, as scancel names it; null where it is none. */
  readonly step: string | null;
  readonly pid: number;
  readonly warnings: readonly string[];
  /** How it ended; null while it runs. */
  readonly outcome: Outcome | null;
}

/** The strongest of what keeps processes from outliving the supervisor. Each stands with the weaker ones. */
export type ContainmentName = 'pidns' | 'guard' | 'death-signal' | 'none' | 'unknown';

export interface Outcome {
  readonly exit: number;
  readonly reason: string;
}

interface ServiceStatus {
  readonly id: string;
  readonly state: string;
  readonly gpus: readonly string[];
  readonly pid: number | null;
  readonly restarts: number;
  readonly reason: string | null;
  /** Of a plan with two: in which it runs; null: in both. */
  readonly layout: Layout | null;
  /** What a Python child runs on; null for the others, and before it was ready. */
  readonly device: DeviceStatus | null;
}

export interface StatusInput {
  readonly job: string;
  readonly node: string;
  readonly step: string | null;
  readonly pid: number;
  readonly phase: Phase;
  readonly plan: Plan;
  readonly retriever: string;
  readonly children: readonly ChildStatus[];
  readonly devices: ReadonlyMap<string, DeviceStatus>;
  readonly progress: (IngestProgress & { readonly seconds: number }) | null;
  readonly endpoint: { readonly url: string; readonly socketPath: string | null } | null;
  readonly containment: Pick<SupervisorStatus, 'containment' | 'network' | 'containment_reason'>;
  readonly endsAt: Date | null;
  readonly now: Date;
  readonly outcome: Outcome | null;
}

export function makeStatus(input: StatusInput): SupervisorStatus {
  const ended = input.phase === 'ended';
  const instances = new Map(input.plan.instances.map((instance) => [instance.id, instance]));
  return {
    job: input.job,
    phase: input.phase,
    services: input.children.map((child) => ({
      id: child.id,
      state: child.current.state,
      gpus: instances.get(child.id)?.gpus ?? [],
      pid: 'pid' in child.current ? child.current.pid : null,
      restarts: child.restarts,
      reason: child.current.state === 'failed' ? child.current.error.message : child.reason,
      layout: instances.get(child.id)?.layout ?? null,
      device: child.current.state === 'ready' ? (input.devices.get(child.id) ?? null) : null,
    })),
    progress: {
      documents_done: input.progress?.documentsDone ?? 0,
      documents_total: input.progress?.documentsTotal ?? null,
      documents_failed: input.progress?.failed ?? 0,
      // Of one that has ended nothing is left to wait for, whatever is left to do.
      eta_s:
        input.progress !== null && input.phase === 'ingest'
          ? etaSeconds(input.progress, input.progress.seconds)
          : null,
    },
    endpoint: ended
      ? { url: null, socket: null }
      : { url: input.endpoint?.url ?? null, socket: input.endpoint?.socketPath ?? null },
    retriever: input.retriever,
    ...input.containment,
    time_left_s:
      ended || input.endsAt === null
        ? null
        : Math.max(0, Math.round((input.endsAt.getTime() - input.now.getTime()) / 1000)),
    node: input.node,
    step: input.step,
    pid: input.pid,
    warnings: input.plan.warnings,
    outcome: input.outcome,
  };
}
