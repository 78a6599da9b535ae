/** Where one fault happens: a folder, a user, and a mark that every process of it carries. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chownSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { environmentOf, isAlive, readStat, runningPids } from '../../src/machine/processes.ts';
import type { ContainmentMode } from '../../src/supervise/containment.ts';

export type User = 'root' | 'ordinary';

export const checkout: string = join(import.meta.dirname, '../..');
/** Where the programs of the system are, and nothing of a developer's. */
export const systemPath = '/usr/bin:/bin:/usr/sbin:/sbin';

export interface World extends AsyncDisposable {
  readonly mode: ContainmentMode;
  readonly user: User;
  /** The user's own. */
  readonly folder: string;
  /** Number of no other world: for what carries no environment. */
  readonly unique: string;
  /** For `spawn`. No supplementary groups: Node clears them with the uid. */
  readonly as: { readonly uid?: number; readonly gid?: number };
  /** The whole environment of what is started here. */
  readonly env: Readonly<Record<string, string>>;
  /** Living processes with the world's mark; with `start`, those of that start of a child only. */
  marked(start?: number): number[];
  /** These, and those that shed the mark and are known by the world's number in their command. */
  everyone(): number[];
  /** A process without the mark that belongs here all the same: it is ended with the world. */
  adopt(pid: number): void;
}

/** Disposing kills whatever is left of it. */
export function openWorld(mode: ContainmentMode, user: User): World {
  const folder = mkdtempSync(join(tmpdir(), 'fault-'));
  const as = idsOf(user);
  if (as.uid !== undefined && as.gid !== undefined) chownSync(folder, as.uid, as.gid);
  const unique = String(randomBytes(4).readUInt32BE());
  const mark = `FAULT=${unique}`;
  const adopted = new Map<number, number>();
  const marked = (start?: number): number[] =>
    runningPids().filter((pid) => {
      const env = environmentOf(pid);
      return (
        env.includes(mark) && (start === undefined || env.includes(`FAULT_START=${start}`)) && isRunning(pid)
      );
    });
  const everyone = (): number[] => {
    const shed = runningPids().filter((pid) => commandOf(pid) === `sleep 60.${unique}`);
    return [...marked(), ...shed.filter(isRunning)];
  };
  return {
    mode,
    user,
    folder,
    unique,
    as,
    env: { PATH: systemPath, HOME: folder, TMPDIR: folder, FAULT: unique },
    marked,
    everyone,
    adopt: (pid) => void adopted.set(pid, readStat(pid)?.startTime ?? 0),
    [Symbol.asyncDispose]: async () => {
      for (const [pid, start] of adopted) if (readStat(pid)?.startTime === start) kill(pid);
      await untilNone(everyone, (left) => kill(...left));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const idsOf = (user: User): World['as'] =>
  user === 'ordinary' && process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};

export const isRunning = (pid: number): boolean => {
  const stat = readStat(pid);
  return stat !== undefined && isAlive(stat);
};

/** To each, in this order; who has gone meanwhile needs none. */
export function send(signal: NodeJS.Signals, ...pids: readonly number[]): void {
  for (const pid of pids)
    try {
      process.kill(pid, signal);
    } catch {
      // Gone since.
    }
}

export const kill = (...pids: readonly number[]): void => send('SIGKILL', ...pids);

/** Why this user cannot be one here, or undefined. */
export const whyNot: Readonly<Record<User, string | undefined>> = {
  root: process.getuid?.() === 0 ? undefined : 'these tests are not run by root',
  ordinary:
    spawnSync(process.execPath, ['-e', 'fs.readFileSync(process.argv[1])', import.meta.filename], {
      ...idsOf('ordinary'),
      env: {},
    }).status === 0
      ? undefined
      : 'an ordinary user can read neither the checkout nor its Node',
};

/** Far beyond every promise: a figure that was missed is told as a figure. */
const boundMs = 10_000;

/** Waits, by looking again: nobody tells when a process that is not our child goes. */
export async function untilNone(
  find: () => readonly number[],
  each: (left: readonly number[]) => void = () => undefined,
): Promise<void> {
  const deadline = performance.now() + boundMs;
  for (let left = find(); left.length > 0; left = find()) {
    if (performance.now() > deadline) assert.fail(`still there: ${left.map(describe).join('\n')}`);
    each(left);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

export async function until<T>(what: string | (() => string), find: () => T | undefined): Promise<T> {
  const deadline = performance.now() + boundMs;
  for (;;) {
    const found = find();
    if (found !== undefined) return found;
    if (performance.now() > deadline)
      assert.fail(`waited in vain for ${typeof what === 'string' ? what : what()}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

export const describe = (pid: number): string => `${pid} ${commandOf(pid)}`;

/** Empty for a process that is gone. */
export function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
  } catch {
    return '';
  }
}

/** The guard of a supervisor is the child of it that calls itself so. */
export const guardOf = (supervisor: number): number | undefined =>
  childrenOf(supervisor).find((pid) => commandOf(pid).includes(' guard ') && isRunning(pid));

export function childrenOf(pid: number): number[] {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
    return text.split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}
