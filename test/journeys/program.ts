/** The built program as users run it: a process of its own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';

export const checkout = join(import.meta.dirname, '../..');
const supervisor = join(checkout, 'dist/supervisor.js');

/** The first Node on PATH that npm did not install here. */
export const systemNode: string | undefined = (process.env['PATH'] ?? '')
  .split(delimiter)
  .filter((entry) => !entry.includes('node_modules'))
  .map((entry) => join(entry, 'node'))
  .find((path) => existsSync(path));

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Program {
  readonly pid: number;
  /** Never rejects. */
  readonly ended: Promise<Ended>;
}

export interface ProgramOptions {
  /** Added to PATH and HOME, which are all that it gets: a developer's own settings must not matter. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly node?: string;
  /** `close`: both pipes are closed at once, as by `| head -0`. */
  readonly reader?: 'reads' | 'close';
  /** Another door than the checkout's. */
  readonly script?: string;
}

const read = (stream: Readable): Promise<string> => (stream.destroyed ? Promise.resolve('') : text(stream));

export function startProgram(words: readonly string[], options: ProgramOptions = {}): Program {
  const child = spawn(options.node ?? process.execPath, [options.script ?? supervisor, ...words], {
    cwd: options.cwd ?? checkout,
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  if (child.pid === undefined) throw new Error(`Cannot start ${child.spawnfile}`);
  if (options.reader === 'close') {
    child.stdout.destroy();
    child.stderr.destroy();
  }
  const [stdout, stderr, exit] = [read(child.stdout), read(child.stderr), once(child, 'exit')];
  const ended = exit.then(async ([code, signal]: Array<number | NodeJS.Signals | null>) => ({
    code: code as number | null,
    signal: signal as NodeJS.Signals | null,
    stdout: await stdout,
    stderr: await stderr,
  }));
  return { pid: child.pid, ended };
}

export const runProgram = (words: readonly string[], options?: ProgramOptions): Promise<Ended> =>
  startProgram(words, options).ended;

export interface MarkedProcess {
  readonly pid: number;
  readonly command: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Living processes with `name=value` in the environment that they were started with. */
export function processesMarked(name: string, value: string): MarkedProcess[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map((entry) => readMarked(Number(entry)))
    .filter((found) => found?.env[name] === value)
    .filter((found) => found !== undefined);
}

function readMarked(pid: number): MarkedProcess | undefined {
  try {
    const read = (file: string): string => readFileSync(`/proc/${pid}/${file}`, 'utf8');
    const pairs = read('environ')
      .split('\0')
      .map((pair) => pair.split(/=(.*)/s).slice(0, 2));
    const command = read('cmdline').replaceAll('\0', ' ').trim();
    return { pid, command, env: Object.fromEntries(pairs) as Record<string, string> };
  } catch {
    return undefined; // it went while we looked, or is not ours
  }
}

/**
 * Waits until `probe` gives a value. Nobody tells when a process that is not our child goes, or when another
 * program writes a file: this asks again and again.
 *
 * @param what for the error, after "Waited in vain for"
 */
export async function until<Value>(
  what: string,
  boundMs: number,
  probe: () => Value | undefined | Promise<Value | undefined>,
): Promise<Value> {
  for (const deadline = performance.now() + boundMs; ;) {
    const value = await probe();
    if (value !== undefined) return value;
    if (performance.now() > deadline) throw new Error(`Waited in vain for ${what} (${boundMs} ms)`);
    await sleep(50);
  }
}

/** Until no process with the mark is left. */
export const untilGone = (name: string, value: string, boundMs: number): Promise<true> =>
  until(`the end of all processes with ${name}=${value}`, boundMs, () =>
    processesMarked(name, value).length === 0 ? true : undefined,
  ).catch((error: unknown) => {
    const left = processesMarked(name, value).map(({ pid, command }) => `${pid} ${command}`);
    throw new Error(`Left over:\n${left.join('\n')}`, { cause: error });
  });
