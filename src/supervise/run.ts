import { codeOf, messageOf } from '../errors.ts';
import { whileAlive } from './alive.ts';
import { type Child, startChild } from './child.ts';
import type { Containment } from './containment.ts';
import type { Term } from './follow.ts';
import { stopGroup } from './group.ts';
import { openLog } from './log-file.ts';
import { within } from './pause.ts';
import { untilReady } from './ready.ts';
import type { ChildSpec, ExitStatus, Launch, Report, Running } from './spec.ts';
import type { ChildEvent } from './state.ts';
import type { Ended, RunEnd } from './verdict.ts';

export interface RunSurroundings {
  readonly now: () => number;
  /** Aborted when the tree stops: nothing is started, probed or waited for any more. */
  readonly closing: AbortSignal;
  /** Resolves when those it waits for are ready and those that follow it are down; rejects when the tree closes. */
  readonly untilMayStart: () => Promise<void>;
  /** Opened then, for one run. */
  readonly openTerm: () => Term;
  /** Resolves when it is this child's turn to be stopped: those that were to be stopped before it are down. */
  readonly untilMyTurn: () => Promise<void>;
  readonly change: (event: ChildEvent) => void;
  readonly setRunning: (running: Running) => void;
  readonly report: Report;
  readonly containment: Containment;
}

/** One run, from the wait for others to the empty group. */
export interface Run extends Ended {
  /** How long it had been ready. */
  readonly readyMs: number;
}

const neverRan: ExitStatus = { code: null, signal: null };

/**
 * Starts the child once, waits for its end or for the end of its term, and empties its group. Never rejects.
 * `overtaken`: one that it follows was started again before this one was spawned; as if nothing had been.
 */
export async function runOnce(spec: ChildSpec, tree: RunSurroundings): Promise<Run | 'overtaken'> {
  try {
    await tree.untilMayStart();
  } catch (error) {
    return notStarted(error, tree.closing);
  }
  using term = tree.openTerm();
  try {
    const launch = await prepare(spec, term.signal);
    await using log = await openLog(spec.logFile, tree.report);
    const child = await startChild(spec, launch, { ...tree, log }, term.signal);
    return await lead(child, spec, tree, term);
  } catch (error) {
    return term.lost() === undefined ? notStarted(error, tree.closing) : 'overtaken';
  }
}

const notStarted = (error: unknown, closing: AbortSignal): Run => ({
  end: failedStart(error, closing),
  tail: [],
  lost: undefined,
  readyMs: 0,
});

/** The launch may pick ports and write files; it gets no longer than the start itself. */
async function prepare(spec: ChildSpec, signal: AbortSignal): Promise<Launch> {
  const { timeoutMs } = spec.readiness;
  const over = new AbortController();
  try {
    const launch = await within(spec.launch(over.signal), timeoutMs, signal);
    if (launch === 'elapsed' || launch === 'aborted')
      throw new Error(`could not be prepared within ${timeoutMs / 1000} s`);
    return launch;
  } finally {
    over.abort();
  }
}

/** An error of ours says what is wrong with the machine or the settings, and the next try would find the same. */
function failedStart(error: unknown, closing: AbortSignal): RunEnd {
  if (closing.aborted) return { outcome: 'stopped', exit: neverRan };
  if (codeOf(error) !== undefined) return { outcome: 'fatal', error };
  return { outcome: 'not-ready', reason: `could not be started: ${messageOf(error)}` };
}

/** One process, from its spawn to the empty group. */
async function lead(child: Child, spec: ChildSpec, tree: RunSurroundings, term: Term): Promise<Run> {
  tree.setRunning(child);
  tree.report('spawned', { pid: child.pid });
  tree.change({ event: 'spawned', pid: child.pid, at: tree.now() });
  // A fault in the spec's own functions must not leave the process alone: it is stopped like any other.
  const attended = await attend(child, spec, tree, term.signal).catch((error: unknown) => fatal(error));
  const tail = child.logTail(50);
  tree.change({ event: 'stop' });
  const end = await emptyGroup(child, spec, tree, attended.end);
  return { end, tail, lost: term.lost(), readyMs: attended.readyMs };
}

type Attended = Pick<Run, 'end' | 'readyMs'>;

const fatal = (error: unknown): Attended => ({ end: { outcome: 'fatal', error }, readyMs: 0 });

/** From the spawn to the end of the run: its exit, a failed start, a hang, or the end of its term and its turn to stop. */
async function attend(
  child: Child,
  spec: ChildSpec,
  tree: RunSurroundings,
  signal: AbortSignal,
): Promise<Attended> {
  const readiness = await untilReady(spec.readiness, child, child.exited, signal);
  if (readiness.outcome === 'fatal') return fatal(readiness.error);
  if (readiness.outcome === 'timed-out')
    return { end: { outcome: 'not-ready', reason: readiness.reason }, readyMs: 0 };
  const since = tree.now();
  if (readiness.outcome === 'ready') {
    tree.report('ready');
    tree.change({ event: 'ready', at: since });
  }
  const looksAfter = readiness.outcome === 'ready' ? spec : {};
  const over = await whileAlive(looksAfter, child, child.exited, tree.report, signal);
  const readyMs = readiness.outcome === 'ready' ? Math.max(0, tree.now() - since) : 0;
  if (over.outcome !== 'aborted') return { end: over, readyMs };
  await tree.untilMyTurn();
  return { end: { outcome: 'stopped', exit: neverRan }, readyMs };
}

/** A group is emptied after a crash too: children of a dead leader hold its port and its GPU memory. */
async function emptyGroup(
  child: Child,
  spec: ChildSpec,
  tree: RunSurroundings,
  end: RunEnd,
): Promise<RunEnd> {
  // Nobody leads what a dead leader left behind: no grace.
  const graceMs = end.outcome === 'exited' ? 0 : spec.shutdown.graceMs;
  const stop = await stopGroup(child.group, { signal: spec.shutdown.signal, graceMs });
  if (stop.outcome !== 'already-empty') tree.report('group', { ...stop });
  if (stop.outcome === 'left')
    return {
      outcome: 'undead',
      reason: `left processes that SIGKILL does not end (${stop.pids.join(', ')})`,
    };
  await child.channel?.end();
  const exit = await child.exited;
  // A child that ends while the tree closes has not crashed, whoever was faster.
  return end.outcome === 'stopped' || tree.closing.aborted ? { outcome: 'stopped', exit } : end;
}
