/** What keeps the processes of a run from outliving it. Opened before the first of them, closed after the last. */
import { RagError } from '../../errors.ts';
import type { Log } from '../../observe/log.ts';
import { jobKey } from '../../slurm/job.ts';
import { type Containment, probeContainment } from '../../supervise/containment.ts';
import { findProgram } from '../../supervise/death-signal.ts';
import { startGuard, type Guard } from '../../supervise/guard.ts';
import { endLeftovers, type LeftoversOptions, makeMark } from '../../supervise/leftovers.ts';
import { makeGpuMemory, type GpuMemory } from './gpu-memory.ts';
import type { Prepared } from '../prepare/prepare.ts';

export interface Contained extends AsyncDisposable {
  readonly guard: Guard;
  readonly containment: Containment;
  readonly gpuMemory: GpuMemory;
}

const name = 'RAG_SUPERVISOR_ID';

/** All runs outside Slurm are one family: their jobs have no name that comes back. */
const familyOf = (job: Prepared['job']): string => (job.kind === 'local' ? 'local' : jobKey(job));

/** The mark of this run, in the environment of every process of it as RAG_SUPERVISOR_ID. */
export const makeSupervisorId = (job: Prepared['job'], run: string): string => makeMark(familyOf(job), run);

/** The mark of this run, for the environment of a process of it. */
export const markedWith = (supervisorId: string): Readonly<Record<string, string>> => ({
  [name]: supervisorId,
});

/**
 * Ends what a dead supervisor of this job has left on this node (its runners hold GPU memory), finds out what the
 * machine can do, and posts the guard.
 *
 * @throws preflight when namespaces were asked for and are not to be had; aborted
 */
export async function openContainment(
  { job, environment, settings, plan }: Pick<Prepared, 'job' | 'environment' | 'settings' | 'plan'>,
  supervisorId: string,
  log: Log,
  signal: AbortSignal,
): Promise<Contained> {
  await sweep({ family: familyOf(job), inherited: environment[name], signal }, log);
  const path = environment['PATH'] ?? '';
  const nvidiaSmi = plan.gpus.length === 0 ? undefined : findProgram('nvidia-smi', path);
  const containment = await probeContainment({
    wanted: settings.RAG_CONTAINMENT,
    path,
    signal,
    ...(nvidiaSmi === undefined ? {} : { trial: [nvidiaSmi, '-L'] }),
  });
  if (signal.aborted)
    throw new RagError('aborted', 'Cannot start the services: the start was cancelled', {
      cause: signal.reason,
    });
  if (settings.RAG_CONTAINMENT === 'pidns' && containment.mode !== 'pidns') throw noNamespaces(containment);
  const { mode, network, reason } = containment;
  log.file(`containment: ${mode}, network: ${network}`, { reason });
  const gpuMemory = makeGpuMemory(nvidiaSmi, `${name}=${supervisorId}`);
  const guard = startGuard({
    mark: { name, value: supervisorId },
    path,
    onEvent: (event, detail) => {
      log.file(`guard: ${event}`, detail);
      if (event === 'given up') log('warn', `no guard can be kept (${String(detail['end'])}): see status`);
    },
  });
  const close = async (): Promise<void> => {
    await guard[Symbol.asyncDispose]();
    for (const { pid, mebibytes } of await gpuMemory.untilFree())
      log('warn', `process ${pid} has ended and still holds ${mebibytes ?? 'some'} MiB of GPU memory`);
  };
  return { guard, containment, gpuMemory, [Symbol.asyncDispose]: close };
}

async function sweep(of: Omit<LeftoversOptions, 'name'>, log: Log): Promise<void> {
  const { ended, left } = await endLeftovers({ name, ...of });
  if (ended.length > 0)
    log('warn', `ended ${ended.length} processes that a dead supervisor of this job had left`, { ended });
  if (left.length > 0)
    log('warn', `${left.length} processes of a dead supervisor of this job cannot be ended`, { left });
}

const noNamespaces = ({ reason }: Containment): RagError =>
  new RagError(
    'preflight',
    `Cannot contain the services in pid namespaces: ${reason}, RAG_CONTAINMENT=pidns wants them`,
    { hint: 'export RAG_CONTAINMENT=auto   # namespaces where they work, else the guard alone' },
  );
