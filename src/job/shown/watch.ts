/** Keeps the state file of a run true from its first moment to its last. */
import { join } from 'node:path';

import type { Endpoint } from '../../serve/serve.ts';
import { openStateFile, type StateFile } from '../../services/state-file.ts';
import { claimStateName } from '../../services/state-name.ts';
import { jobKey, readStep } from '../../slurm/job.ts';
import type { ChildStatus, Tree } from '../../supervise/spec.ts';
import type { IngestProgress } from '../../work.ts';
import type { Contained } from '../services/contain.ts';
import type { DeviceStatus } from '../services/device.ts';
import { describeContainment } from '../services/contained.ts';
import { addPhase, addService, type HistoryEvent } from '../life/history.ts';
import { nextPhase, type PhaseEvent } from '../life/phase.ts';
import type { Prepared } from '../prepare/prepare.ts';
import { openTimeLeft } from '../life/time-left.ts';
import { makeStatus, type Outcome, type StatusInput, type SupervisorStatus } from './status.ts';

export interface Watch extends AsyncDisposable {
  /** Of this supervisor among all that run. */
  readonly name: string;
  /** Of a second supervisor of the job on this node, and of a third: `2`, `3`. */
  readonly beside: string | undefined;
  status(): SupervisorStatus;
  history(): readonly HistoryEvent[];
  /** Of the last ingest; null when there was none. */
  ingested(): StatusInput['progress'];
  follow(tree: Tree, contained: Contained): void;
  device(id: string, device: DeviceStatus): void;
  endpoint(endpoint: Endpoint): void;
  progress(progress: IngestProgress, seconds: number): void;
  phase(event: PhaseEvent): void;
  /** How the run ended, and why. */
  outcome(outcome: Outcome): void;
  /** What `status` shows is what is true now. */
  written(): Promise<void>;
}

export interface WatchTold {
  /** The state file cannot be written. */
  readonly onError: (error: unknown) => void;
  /** When the job must end, whenever Slurm has said so. */
  readonly onEndsAt?: (endsAt: Date) => void;
}

/** Opened before the services and closed after them, so that its last word is how they ended. */
export async function openWatch(prepared: Prepared, { onError, onEndsAt }: WatchTold): Promise<Watch> {
  const devices = new Map<string, DeviceStatus>();
  let known: Known = nothingYet;
  let history = addPhase([], known.phase, new Date());
  let endsAt = (): Date | null => null;
  const status = (): SupervisorStatus => statusOf(prepared, known, { devices, endsAt: endsAt() });
  const { name, beside, file } = await openOwnFile(prepared, status(), onError);
  const changed = (): void => file.write(status());
  const learn = (news: Partial<Known>): void => {
    known = { ...known, ...news };
    history = addPhase(history, known.phase, new Date());
    changed();
  };
  const time = openTimeLeft(prepared.job, prepared.environment, changed, onEndsAt);
  endsAt = () => time.endsAt();

  return {
    name,
    beside,
    status,
    history: () => history,
    ingested: () => known.progress,
    follow: (tree, contained) => {
      known = { ...known, contained, children: () => tree.statuses() };
      tree.onChange((child) => {
        history = addService(history, child, new Date());
        changed();
      });
    },
    device: (id, device) => {
      devices.set(id, device);
      changed();
    },
    endpoint: (endpoint) => learn({ endpoint }),
    progress: (latest, seconds) => learn({ progress: { ...latest, seconds } }),
    phase: (event) => learn({ phase: nextPhase(known.phase, event) }),
    outcome: (outcome) => {
      known = { ...known, outcome };
    },
    written: () => {
      changed();
      return file.written();
    },
    [Symbol.asyncDispose]: async () => {
      await time[Symbol.asyncDispose]();
      learn({ phase: nextPhase(nextPhase(known.phase, 'stop'), 'stopped') });
      await file[Symbol.asyncDispose]();
    },
  };
}

const statusOf = (
  { job, plan, environment, settings }: Prepared,
  known: Known,
  observed: Pick<StatusInput, 'devices' | 'endsAt'>,
): SupervisorStatus =>
  makeStatus({
    ...known,
    ...observed,
    job: jobKey(job),
    node: job.node,
    step: readStep(environment, job),
    pid: process.pid,
    plan,
    retriever: settings.RAG_RETRIEVER,
    children: known.children(),
    containment: describeContainment(known.contained, settings.OLLAMA_PORT, plan.engine),
    now: new Date(),
  });

/** The file, and what its name says: which supervisor of all that run this is. */
async function openOwnFile(
  { job, settings }: Prepared,
  first: SupervisorStatus,
  onError: (error: unknown) => void,
): Promise<Pick<Watch, 'name' | 'beside'> & { readonly file: StateFile }> {
  const folder = join(settings.RAG_RUNTIME_STATE, 'supervisors');
  const plain = `${jobKey(job)}.${job.node}`;
  const name = await claimStateName(folder, plain, first).catch((error: unknown) => {
    onError(error);
    return plain;
  });
  const beside = name === plain ? undefined : name.slice(plain.length + 1);
  return { name, beside, file: await openStateFile({ path: join(folder, `${name}.json`), onError }) };
}

const nothingYet: Known = {
  contained: null,
  phase: 'starting',
  children: () => [],
  progress: null,
  endpoint: null,
  outcome: null,
};

/** What the run has told so far. */
interface Known extends Pick<StatusInput, 'phase' | 'progress' | 'endpoint' | 'outcome'> {
  readonly contained: Contained | null;
  readonly children: () => readonly ChildStatus[];
}
