/** How far a count of steps is: a bar on a terminal, a line every 30 seconds in a file. */
import { Presets, SingleBar } from 'cli-progress';

const lineEveryMs = 30_000;

export interface StepsView extends Disposable {
  /** @param what was done to them, e.g. `ranked`; another word begins another count */
  show(what: string, done: number, of: number): void;
}

/** @param verb that is at work, for the lines. @param things what is counted */
export const openSteps = (
  onTerminal: boolean,
  tell: (line: string) => void,
  verb = 'eval',
  things = 'questions',
): StepsView => (onTerminal ? openBar(things) : openLines(tell, verb, things));

function openBar(things: string): StepsView {
  const format = `{bar} {value} of {total} ${things} {what}, {eta} s left`;
  const bar = new SingleBar(
    { stream: process.stderr, format, barsize: 20, hideCursor: true },
    Presets.shades_grey,
  );
  let current: string | undefined;
  return {
    show: (what, done, of) => {
      if (what !== current) {
        bar.stop();
        bar.start(of, done, { what });
      }
      current = what;
      bar.update(done, { what });
    },
    [Symbol.dispose]: () => bar.stop(),
  };
}

function openLines(tell: (line: string) => void, verb: string, things: string): StepsView {
  let latest: string | undefined;
  const timer = setInterval(() => {
    if (latest !== undefined) tell(latest);
  }, lineEveryMs).unref();
  return {
    show: (what, done, of) => {
      latest = `${verb}: ${done} of ${of} ${things} ${what}`;
    },
    [Symbol.dispose]: () => clearInterval(timer),
  };
}
