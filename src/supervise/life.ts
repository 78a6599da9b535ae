import { nextRestart, type RestartHistory } from './restart.ts';
import { type RunSurroundings, runOnce } from './run.ts';
import type { ChildSpec, RestartBudget } from './spec.ts';
import { pause } from './pause.ts';
import { failure, type FinalVerdict, judge, judgeAtTheEnd } from './verdict.ts';

/** What a child's life needs of the tree it lives in. */
export interface Surroundings extends RunSurroundings {
  readonly budget: RestartBudget;
  /** Number in [0, 1). */
  readonly random: () => number;
  /** Aborted when children that end are no longer started again. */
  readonly ending: AbortSignal;
}

/** Starts a child, and starts it again, until it has ended for good. The last event is `exit` or `fail`. */
export async function live(spec: ChildSpec, tree: Surroundings): Promise<void> {
  let history: RestartHistory = [];
  let readyClock = 0;
  for (;;) {
    const run = await runOnce(spec, tree);
    if (run === 'overtaken') continue;
    const verdict = tree.ending.aborted ? judgeAtTheEnd(spec, run, tree.closing.aborted) : judge(spec, run);
    if (verdict.verdict !== 'restart') return finish(verdict, tree);
    readyClock += run.readyMs;
    const next = verdict.charged
      ? nextRestart(history, tree.budget, readyClock, tree.random())
      : ({ outcome: 'restart', delayMs: 0, history } as const);
    if (next.outcome === 'give-up') {
      const reason = `${verdict.reason}, after ${next.restarts} restarts`;
      return finish({ verdict: 'failed', error: failure(spec, reason, run.tail) }, tree);
    }
    history = next.history;
    tree.report('restarting', { reason: verdict.reason, delayMs: next.delayMs });
    tree.change({ event: 'restart', at: tree.now() + next.delayMs, reason: verdict.reason });
    // When the tree closes meanwhile, the next run ends before it begins.
    await pause(next.delayMs, AbortSignal.any([tree.closing, tree.ending]));
    if (tree.ending.aborted && !tree.closing.aborted) return finish(judgeAtTheEnd(spec, run, false), tree);
  }
}

function finish(verdict: FinalVerdict, { change, report }: Surroundings): void {
  if (verdict.verdict === 'exited') {
    report('exited', { ...verdict.exit });
    change({ event: 'exit', exit: verdict.exit });
  } else {
    report('failed', { reason: verdict.error.message });
    change({ event: 'fail', error: verdict.error });
  }
}
