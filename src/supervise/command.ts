/** A program that does one thing and ends, kept as services are: contained, its output in a file, nothing left of it. */
import { messageOf } from '../errors.ts';
import { startChild } from './child.ts';
import type { Containment } from './containment.ts';
import { stopGroup } from './group.ts';
import { type LogFile, openLog } from './log-file.ts';
import { within } from './pause.ts';
import type { ExitStatus, Isolation, Launch, Report } from './spec.ts';

export interface Command {
  readonly id: string;
  readonly launch: Launch;
  readonly isolation: Isolation;
  /** Appended to. */
  readonly logFile: string;
  /** From the spawn to the exit. */
  readonly timeoutMs: number;
  /** From TERM to KILL, for a program that is stopped and for what an ended one has left. */
  readonly graceMs: number;
}

/** `left`: processes that SIGKILL does not end. `tail`: the last lines of its output, newest last. */
export type CommandEnd = { readonly tail: readonly string[] } & (
  | { readonly outcome: 'exited'; readonly exit: ExitStatus }
  | { readonly outcome: 'timed-out'; readonly timeoutMs: number }
  | { readonly outcome: 'aborted' }
  | { readonly outcome: 'left'; readonly pids: readonly number[] }
  | { readonly outcome: 'not-started'; readonly reason: string }
);

export interface CommandSurroundings {
  readonly containment: Containment;
  readonly report: Report;
}

/** Resolves when the program and all that it has started are gone. Main thread only. Never rejects. */
export async function runCommand(
  command: Command,
  around: CommandSurroundings,
  signal: AbortSignal,
): Promise<CommandEnd> {
  try {
    await using log = await openLog(command.logFile, around.report);
    return await lead(command, { ...around, log }, signal);
  } catch (error) {
    if (signal.aborted) return { outcome: 'aborted', tail: [] };
    return { outcome: 'not-started', reason: messageOf(error), tail: [] };
  }
}

async function lead(
  { id, launch, isolation, timeoutMs, graceMs }: Command,
  around: CommandSurroundings & { readonly log: LogFile },
  signal: AbortSignal,
): Promise<CommandEnd> {
  const spec = { id, isolation, channel: 'none', deathSignal: 'SIGKILL' } as const;
  const child = await startChild(spec, launch, around, signal);
  const exit = await within(child.exited, timeoutMs, signal);
  const stop = await stopGroup(child.group, { signal: 'SIGTERM', graceMs });
  if (stop.outcome !== 'already-empty') around.report('group', { ...stop });
  const tail = child.logTail(50);
  if (stop.outcome === 'left') return { outcome: 'left', pids: stop.pids, tail };
  await child.exited;
  if (exit === 'aborted') return { outcome: 'aborted', tail };
  if (exit === 'elapsed') return { outcome: 'timed-out', timeoutMs, tail };
  return { outcome: 'exited', exit, tail };
}
