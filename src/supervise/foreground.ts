/** A program that is no service: it writes where we write, nobody starts it again, and its end is a result. */
import { type Child, startChild } from './child.ts';
import { withoutNamespaces } from './containment.ts';
import { type GroupStop, stopGroup } from './group.ts';
import { never } from './pause.ts';
import type { ExitStatus, Launch, Report } from './spec.ts';

/** Disposing it ends what is left of it. */
export interface Foreground extends AsyncDisposable {
  readonly pid: number;
  /** Of its first process. Never rejects. */
  readonly exited: Promise<ExitStatus>;
  /**
   * TERM, INT and HUP go to all of its processes, as Slurm and a terminal send them; any other signal to the first
   * alone, because a worker that does not know it would die of it.
   */
  signal(name: NodeJS.Signals): void;
  /** TERM, then KILL after the grace, until nothing of it is left. */
  end(graceMs: number): Promise<GroupStop>;
}

const output = { fd: 1, errorFd: 2, tail: () => [] };
const forAll: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGINT', 'SIGHUP'];

/**
 * In a session of its own, so that a signal to us is not one to it, and with a death signal; in no namespace, because
 * debuggers and communication libraries look for the processes of their node.
 *
 * @param graceMs from TERM to KILL when it is disposed
 * @throws a plain error when it cannot be spawned
 */
export async function startForeground(launch: Launch, graceMs: number, report: Report): Promise<Foreground> {
  const containment = withoutNamespaces(launch.env['PATH'] ?? '');
  const spec = { id: 'workload', channel: 'none', isolation: 'none', deathSignal: 'SIGKILL' } as const;
  const child = await startChild(spec, launch, { containment, report, log: output }, never);
  const end = async (ms: number): Promise<GroupStop> => {
    const stop = await stopGroup(child.group, { signal: 'SIGTERM', graceMs: ms });
    if (stop.outcome !== 'already-empty') report('group', { ...stop });
    return stop;
  };
  return {
    pid: child.pid,
    exited: child.exited,
    signal: (name) => send(child, name),
    end,
    [Symbol.asyncDispose]: async () => void (await end(graceMs)),
  };
}

function send({ pid }: Child, name: NodeJS.Signals): void {
  try {
    process.kill(forAll.includes(name) ? -pid : pid, name);
  } catch {
    // Gone since.
  }
}
