/**
 * The whole of a terminal, for something that is looked at again and again. It is the terminal's other screen, so that
 * nothing of it stays in the scrollback and what was there before comes back.
 */
import { stripVTControlCharacters } from 'node:util';
import type { TerminalStream } from './live-line.ts';
import { clip, widthOf } from './width.ts';

export interface Screen extends Disposable {
  /** In place of what was drawn before. @param lines for so many columns; what does not fit on the screen is cut */
  draw(lines: (columns: number) => readonly string[]): void;
}

export interface ScreenStream extends TerminalStream {
  readonly rows: number;
}

/** Without line wrap: one that a terminal thinks wider than we do must not push the others down. */
const enter = '\u001B[?1049h\u001B[?25l\u001B[?7l';
const leave = '\u001B[?7h\u001B[?25h\u001B[?1049l';
const [home, clearBehind, clearBelow] = ['\u001B[H', '\u001B[K', '\u001B[J'];
/** Terminals that know it show all of a drawing at once, the others pass over it. */
const [begin, end] = ['\u001B[?2026h', '\u001B[?2026l'];

export function openScreen(stream: ScreenStream): Screen {
  let drawn: ((columns: number) => readonly string[]) | undefined;
  const restore = (): void => void stream.write(leave);
  const redraw = (): void => {
    if (drawn === undefined) return;
    const lines = fitted(drawn(stream.columns), stream.rows);
    const text = lines.map((line) => `${cut(line, stream.columns)}${clearBehind}`).join('\n');
    stream.write(`${begin}${home}${text}${clearBelow}${end}`);
  };
  stream.write(enter);
  stream.on('resize', redraw);
  // However the process ends, also by a second signal.
  process.once('exit', restore);
  return {
    draw(lines) {
      drawn = lines;
      redraw();
    },
    [Symbol.dispose]() {
      stream.off('resize', redraw);
      process.off('exit', restore);
      restore();
    },
  };
}

/** What is too long loses its colours with its end: where to cut an escape sequence nobody can say. */
function cut(line: string, columns: number): string {
  const bare = stripVTControlCharacters(line);
  return widthOf(bare) <= columns ? line : clip(bare, columns);
}

const fitted = (lines: readonly string[], rows: number): readonly string[] =>
  lines.length <= rows
    ? lines
    : [...lines.slice(0, rows - 1), `... ${lines.length - rows + 1} more lines: a taller window shows them`];
