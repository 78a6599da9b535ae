/**
 * The last line of a terminal, drawn again and again in its place, with everything else above it. A drawing is one
 * write, from the first column on and cleared behind the text: nothing flickers.
 */
import { clip } from './width.ts';

export interface LiveLine extends Disposable {
  /** Draws at once, or a tenth of a second later. @param text for so many columns; it is cut to them */
  show(text: TextFor): void;
}

export type TextFor = (columns: number) => string;

export interface Terminal {
  /** Lines above the live one. */
  tell(text: string): void;
  /** For what goes to the same terminal another way. @param write ends its text with a line feed */
  above(write: () => void): void;
  /** Disposing leaves its last drawing above what comes next, and so does another one that shows something. */
  openLine(): LiveLine;
}

/** As much of a terminal's stream as is used. */
export interface TerminalStream {
  readonly columns: number;
  write(text: string): boolean;
  on(event: 'resize', listener: () => void): unknown;
  off(event: 'resize', listener: () => void): unknown;
}

const leastGapMs = 100;
const [hideCursor, showCursor, clearBehind] = ['\u001B[?25l', '\u001B[?25h', '\u001B[K'];

interface Shown {
  readonly owner: symbol;
  readonly text: TextFor;
}

export function openTerminal(stream: TerminalStream): Terminal {
  let shown: Shown | undefined;
  let drawnAtMs = -Infinity;
  let later: NodeJS.Timeout | undefined;

  const draw = (): void => {
    clearTimeout(later);
    later = undefined;
    if (shown === undefined) return;
    drawnAtMs = performance.now();
    // One column less: behind the last one some terminals are on the next line already.
    const columns = Math.max(1, stream.columns - 1);
    stream.write(`\r${clip(shown.text(columns), columns)}${clearBehind}`);
  };
  // However the process ends, also by a second signal.
  const restore = (): void => void stream.write(`\n${showCursor}`);

  const begin = (): void => {
    stream.write(hideCursor);
    stream.on('resize', draw);
    process.once('exit', restore);
  };
  const end = (): void => {
    draw();
    shown = undefined;
    drawnAtMs = -Infinity;
    stream.off('resize', draw);
    process.off('exit', restore);
    restore();
  };
  const above = (write: () => void): void => {
    if (shown !== undefined) stream.write(`\r${clearBehind}`);
    write();
    draw();
  };

  return {
    above,
    tell: (text) => above(() => stream.write(`${text}\n`)),
    openLine() {
      const owner = Symbol('line');
      return {
        show(text) {
          if (shown !== undefined && shown.owner !== owner) end();
          if (shown === undefined) begin();
          shown = { owner, text };
          const waitMs = drawnAtMs + leastGapMs - performance.now();
          if (waitMs <= 0) draw();
          else later ??= setTimeout(draw, waitMs).unref();
        },
        [Symbol.dispose]() {
          if (shown?.owner === owner) end();
        },
      };
    },
  };
}
