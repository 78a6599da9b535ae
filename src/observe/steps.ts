/** How far a count of steps is: a bar on a terminal, a line every 30 seconds in a file. */
import { barText } from './bar.ts';
import type { ProgressPlace } from './progress.ts';
import { durationText } from './pace.ts';

const lineEveryMs = 30_000;

export interface StepsView extends Disposable {
  /** @param what was done to them, e.g. `ranked`; another word begins another count */
  show(what: string, done: number, of: number): void;
}

interface Steps {
  readonly what: string;
  /** What is counted. */
  readonly things: string;
  readonly done: number;
  readonly of: number;
  /** Since the first of this count. */
  readonly seconds: number;
}

/** @param verb that is at work, for the lines. @param things what is counted */
export function openSteps({ terminal, tell }: ProgressPlace, verb: string, things = 'questions'): StepsView {
  let begun: { readonly what: string; readonly atMs: number } | undefined;
  let latest: Steps | undefined;
  const line = terminal?.openLine();
  const timer =
    line === undefined
      ? setInterval(() => {
          if (latest !== undefined) tell(`${verb}: ${stepsLine(latest)}`);
        }, lineEveryMs).unref()
      : undefined;
  return {
    show(what, done, of) {
      if (what !== begun?.what) begun = { what, atMs: performance.now() };
      const steps = { what, things, done, of, seconds: (performance.now() - begun.atMs) / 1000 };
      latest = steps;
      line?.show((columns) => stepsBar(steps, columns));
    },
    [Symbol.dispose]() {
      clearInterval(timer);
      line?.[Symbol.dispose]();
    },
  };
}

export const stepsBar = (steps: Steps, columns: number): string =>
  barText({ ...steps, what: `${steps.things} ${steps.what}`, more: leftOf(steps) }, columns);

export const stepsLine = (steps: Steps): string =>
  [`${steps.done} of ${steps.of} ${steps.things} ${steps.what}`, ...leftOf(steps)].join(', ');

const leftOf = ({ done, of, seconds }: Steps): string[] =>
  done === 0 || done >= of ? [] : [`${durationText((seconds * (of - done)) / done)} left`];
