/** Programs on a real pseudo terminal (Python's pty), and what a person would see on its screen (xterm without a window). */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import xterm from '@xterm/headless';

export const noTerminal: string | false =
  spawnSync('python3', ['-c', 'import pty']).status === 0 ? false : 'a terminal needs python3';

export interface OnTerminal extends AsyncDisposable {
  /** The lines of the screen and of what has scrolled out of it, without empty ones at the end. */
  lines(): Promise<string[]>;
  /** Everything that was written, escape sequences and all. */
  raw(): string;
  /** Waits until the lines are as wanted. */
  until(what: string, isSo: (lines: readonly string[]) => boolean): Promise<string[]>;
  /** `^C` is Ctrl-C. */
  type(keys: string): void;
  resize(columns: number, rows: number): void;
  readonly ended: Promise<number | null>;
}

export interface TerminalOptions {
  readonly columns: number;
  readonly rows: number;
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

const patienceMs = 60_000;

export function startOnTerminal(command: readonly string[], options: TerminalOptions): OnTerminal {
  const { columns, rows, env, cwd } = options;
  const screen = new xterm.Terminal({ cols: columns, rows, scrollback: 5000, allowProposedApi: true });
  const fixture = join(import.meta.dirname, 'fixtures/terminal.py');
  const child = spawn('python3', [fixture, `${columns}x${rows}`, ...command], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { PATH: process.env['PATH'], TERM: 'xterm-256color', LANG: 'C.UTF-8', ...env },
    ...(cwd !== undefined && { cwd }),
  });
  let raw = '';

  child.stdout.setEncoding('utf8').on('data', (piece: string) => {
    raw += piece;
    screen.write(piece);
  });
  child.stdin.on('error', () => undefined);
  const ended = once(child, 'close').then(([code]) => code as number | null);

  const order = (line: string): void => void child.stdin.write(`${line}\n`);
  const lines = (): Promise<string[]> =>
    new Promise((resolve) => {
      screen.write('', () => resolve(linesOf(screen)));
    });
  return {
    ended,
    lines,
    raw: () => raw,
    async until(what, isSo) {
      for (const deadline = performance.now() + patienceMs; ;) {
        const seen = await lines();
        if (isSo(seen)) return seen;
        if (performance.now() > deadline || child.exitCode !== null)
          throw new Error(`Waited in vain for ${what}:\n${seen.join('\n')}`);
        const next = AbortSignal.timeout(200);
        await once(child.stdout, 'data', { signal: next }).catch(() => undefined);
      }
    },
    type: (keys) => order(`keys ${keys.replaceAll('\t', String.raw`\t`)}`),
    resize(width, height) {
      screen.resize(width, height);
      order(`resize ${width}x${height}`);
    },
    async [Symbol.asyncDispose]() {
      child.stdin.end();
      if (child.exitCode === null) child.kill('SIGTERM');
      await ended;
      screen.dispose();
    },
  };
}

function linesOf({ buffer: { active } }: xterm.Terminal): string[] {
  const lines = Array.from({ length: active.length }, (_line, at) =>
    (active.getLine(at)?.translateToString(true) ?? '').trimEnd(),
  );
  while (lines.at(-1) === '') lines.pop();
  return lines;
}
