/** Starts the real sidecar as the supervisor does, and talks to it in frames. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text as textOf } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';

const top = join(import.meta.dirname, '../..');
export const sidecarScript: string = join(top, 'scripts/sidecar.py');
export const scripts: string = join(top, 'scripts');

const prepared = join(top, '.venv-sidecar/bin/python');
export const python: string = process.env['RERANKER_PYTHON'] ?? (existsSync(prepared) ? prepared : 'python3');

/** An older transformers beside the one of the environment, where scripts/python-env.sh made it. */
export const oldTransformers: string = join(top, '.venv-sidecar/transformers-4');

const search =
  'import importlib.util as u, sys; sys.exit(not all(map(u.find_spec, ("torch", "transformers"))))';

/** `false`, or why a test with a real model is skipped. */
export const withoutTorch: false | string =
  spawnSync(python, ['-c', search]).status === 0
    ? false
    : 'torch and transformers are not installed: scripts/python-env.sh';

export type Frame = Readonly<Record<string, unknown>>;

export interface Sidecar extends AsyncDisposable {
  readonly child: ChildProcess;
  /** The first line. */
  readonly first: Promise<Frame>;
  /** The answer to a request, whatever the order. */
  readonly ask: (request: Frame) => Promise<Frame>;
  /** As it is, no line end added. */
  readonly write: (text: string | Buffer) => void;
  /** The next frame that answers no request of `ask`. */
  readonly unasked: () => Promise<Frame>;
  readonly stderr: () => string;
  /** Resolves when stderr has said this. */
  readonly said: (text: string) => Promise<void>;
  /** Exit code, or the signal's name. */
  readonly ended: Promise<number | string | null>;
}

const saidMs = 60_000;

async function tooLate(text: string): Promise<never> {
  await pause(saidMs, undefined, { ref: false });
  throw new Error(`the sidecar has not said "${text}"`);
}

/** Starts Python with these words: the script first. */
export function startPython(words: readonly string[], env: Readonly<Record<string, string>> = {}): Sidecar {
  const child = spawn(python, words, { env: { ...process.env, OMP_NUM_THREADS: '1', ...env } });
  let stderr = '';
  const listeners = new Set<() => void>();
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    for (const listener of listeners) listener();
  });
  child.stdin.on('error', () => {}); // it may end before it has read everything
  const exited = once(child, 'close') as Promise<[number | null, string | null]>;
  const ended = exited.then(([code, signal]) => code ?? signal);
  const waiting = new Map<unknown, (frame: Frame) => void>();
  const others: Frame[] = [];
  const readers: ((frame: Frame) => void)[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => {
    const frame = JSON.parse(line) as Frame;
    const take = waiting.get(frame['id']) ?? readers.shift();
    waiting.delete(frame['id']);
    if (take === undefined) others.push(frame);
    else take(frame);
  });
  const failure = ended.then((code) => {
    throw new Error(`the sidecar ended with ${code}:\n${stderr}`);
  });
  failure.catch(() => {});
  const unasked = (): Promise<Frame> => {
    const found = others.shift();
    if (found !== undefined) return Promise.resolve(found);
    return Promise.race([new Promise<Frame>((resolve) => readers.push(resolve)), failure]);
  };
  const write = (text: string | Buffer): void => void child.stdin.write(text);
  return {
    child,
    first: unasked(),
    ask: (request) => {
      const answered = new Promise<Frame>((resolve) => waiting.set(request['id'], resolve));
      write(`${JSON.stringify(request)}\n`);
      return Promise.race([answered, failure]);
    },
    write,
    unasked,
    stderr: () => stderr,
    said: async (text) => {
      const late = tooLate(text);
      late.catch(() => {}); // of what was said in time
      while (!stderr.includes(text)) {
        const more = new Promise<void>((resolve) => listeners.add(resolve));
        await Promise.race([more, failure, late]);
      }
    },
    ended,
    [Symbol.asyncDispose]: async () => {
      child.stdin.end();
      await ended;
    },
  };
}

/** base64 of little-endian f32 rows -> one list of numbers for each row. */
export function vectorsOf(text: unknown, dimensions: number): number[][] {
  const bytes = Buffer.from(String(text), 'base64');
  const numbers = Array.from({ length: bytes.length / 4 }, (_, at) => bytes.readFloatLE(4 * at));
  return Array.from({ length: numbers.length / dimensions }, (_, row) =>
    numbers.slice(row * dimensions, (row + 1) * dimensions),
  );
}

/** The largest difference between two tables of numbers; infinite where their shapes differ. */
export function difference(a: readonly (readonly number[])[], b: readonly (readonly number[])[]): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  const rows = a.map((row, at) => {
    const other = b[at] ?? [];
    if (row.length !== other.length) return Number.POSITIVE_INFINITY;
    return Math.max(0, ...row.map((value, column) => Math.abs(value - (other[column] ?? Number.NaN))));
  });
  return rows.some(Number.isNaN) ? Number.POSITIVE_INFINITY : Math.max(0, ...rows);
}

export interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs to its end. */
export async function runPython(
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
  by: string = python,
): Promise<Ended> {
  const child = spawn(by, words, { env: { ...process.env, OMP_NUM_THREADS: '1', ...env } });
  child.stdin.end();
  const [stdout, stderr] = [textOf(child.stdout), textOf(child.stderr)];
  const [status] = (await once(child, 'close')) as [number | null];
  return { status, stdout: await stdout, stderr: await stderr };
}
