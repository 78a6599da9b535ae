/** The user's own command beside the services: with their addresses in its environment, from when they are ready until it ends. */
import type { Endpoint } from '../../serve/serve.ts';
import { type Foreground, startForeground } from '../../supervise/foreground.ts';
import { orAborted, within } from '../../supervise/pause.ts';
import type { ExitStatus } from '../../supervise/spec.ts';
import type { Keys } from '../shown/face.ts';
import type { Command } from '../prepare/intent.ts';
import type { OpenJob } from '../open.ts';
import { whyStop } from '../life/stop-reason.ts';
import { makeWorkloadEnv } from './workload-env.ts';

export interface WorkloadInput {
  readonly open: OpenJob;
  readonly command: Command;
  readonly endpoint: Pick<Endpoint, 'url' | 'port' | 'socketPath'>;
  readonly files: Keys['files'];
  /** A signal of the user or of Slurm: the workload hears of it, and the services stay until it has ended. */
  readonly stop: AbortSignal;
}

/** @throws the reason of `open.lost` when a service that it needs cannot be kept */
export async function runWorkload(input: WorkloadInput): Promise<ExitStatus> {
  const { open, command, stop } = input;
  const { log, lost, prepared } = open;
  const launch = { command, env: makeWorkloadEnv(input), cwd: process.cwd() };
  await using program = await startForeground(launch, prepared.graceMs, (event, detail) =>
    log.file(`workload: ${event}`, detail),
  );
  log('info', `workload started: ${command.join(' ')}`, { pid: program.pid });
  const ended = await orAborted(program.exited, AbortSignal.any([stop, lost]));
  lost.throwIfAborted();
  const exit = ended === 'aborted' ? await askToEnd(program, input) : ended;
  log('info', `workload ended with ${exit.signal ?? exit.code}`);
  return exit;
}

/** From TERM to KILL for one that has had its time. */
const lastGraceMs = 3000;

/**
 * Before the wall time it gets the signal that it asked for and RAG_DRAIN_SECONDS for its checkpoint, unless TERM
 * comes before they are over; at any other stop TERM, and what Slurm leaves us of KillWait.
 */
async function askToEnd(program: Foreground, { open, stop }: WorkloadInput): Promise<ExitStatus> {
  const { settings, graceMs } = open.prepared;
  const { warned, over } = whyStop(stop.reason);
  const [signal, ms] = warned
    ? ([settings.RAG_WORKLOAD_SIGNAL, settings.RAG_DRAIN_SECONDS * 1000] as const)
    : (['SIGTERM', graceMs] as const);
  open.log('info', `workload gets ${signal} and ${Math.round(ms / 1000)} s to end`);
  program.signal(signal);
  await within(program.exited, ms, AbortSignal.any([open.lost, over]));
  await program.end(Math.min(graceMs, lastGraceMs));
  return await program.exited;
}
