/** What a supervisor that is dead has left of an earlier run: found by its mark, ended before the next run starts. */
import { randomBytes } from 'node:crypto';
import { readlinkSync } from 'node:fs';
import {
  environmentOf,
  isAlive,
  isOfAnotherJob,
  readStat,
  runningPids,
  startTimeOf,
} from '../machine/processes.ts';
import { pause } from './pause.ts';

/** A process, and the mark that it carries. */
export interface Marked {
  readonly pid: number;
  readonly startTime: number;
  readonly value: string;
}

export interface LeftoversOptions {
  /** Of the variable that carries the mark. */
  readonly name: string;
  readonly family: string;
  /** The mark that we carry ourselves, started by a process of another run. */
  readonly inherited: string | undefined;
  readonly signal: AbortSignal;
}

/** A killed process that lives longer is in uninterruptible sleep. */
const maxMs = 2_000;
const lookAgainMs = 20;

/** A pid means something only in its namespace. */
const pidNamespace = (): string => /\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? '0';

/** `<family>.<run>.<pid>.<start>.<pid namespace>`: names a run, and the process that is answerable for it. */
export function makeMark(family: string, run = randomBytes(4).toString('hex')): string {
  if (process.platform !== 'linux') return `${family}.${run}`;
  return `${family}.${run}.${process.pid}.${startTimeOf(process.pid)}.${pidNamespace()}`;
}

/**
 * Whether this mark is of the family and of a supervisor that is proven dead. A mark from another pid namespace
 * proves nothing, nor does one of another form.
 *
 * @param startOf start time of the process that has this pid and lives
 */
export function isAbandoned(
  value: string,
  family: string,
  namespace: string,
  startOf: (pid: number) => number | undefined,
): boolean {
  if (!value.startsWith(`${family}.`)) return false;
  const fields = /^\w+\.(\d+)\.(\d+)\.(\d+)$/.exec(value.slice(family.length + 1));
  const [, pid, start, place] = fields ?? [];
  return place === namespace && startOf(Number(pid)) !== Number(start);
}

/** Kills all leftovers of the family, again and again until none is left or 2 s are over. */
export async function endLeftovers(
  options: LeftoversOptions,
): Promise<{ readonly ended: readonly Marked[]; readonly left: readonly Marked[] }> {
  if (process.platform !== 'linux') return { ended: [], left: [] };
  const deadline = performance.now() + maxMs;
  const seen = new Map<number, Marked>();
  for (;;) {
    const left = findLeftovers(options);
    for (const one of left) seen.set(one.pid, one);
    if (left.length === 0 || performance.now() > deadline || options.signal.aborted)
      return { ended: [...seen.values()].filter(({ pid }) => !left.some((one) => one.pid === pid)), left };
    left.forEach(kill);
    await pause(lookAgainMs, options.signal);
  }
}

/** Reads the environment of all of this user's processes: 80 ms for 1,600 of them, once. */
function findLeftovers({ name, family, inherited }: LeftoversOptions): Marked[] {
  const namespace = pidNamespace();
  const prefix = `${name}=`;
  return runningPids().flatMap((pid) => {
    // Before the environment: should the number change hands in between, the start time no longer fits.
    const startTime = startTimeOf(pid);
    const environment = environmentOf(pid);
    const value = environment.find((pair) => pair.startsWith(prefix))?.slice(prefix.length);
    if (startTime === undefined || value === undefined || value === inherited) return [];
    if (isOfAnotherJob(environment)) return [];
    return isAbandoned(value, family, namespace, startOfLiving) ? [{ pid, startTime, value }] : [];
  });
}

function startOfLiving(pid: number): number | undefined {
  const stat = readStat(pid);
  return stat !== undefined && isAlive(stat) ? stat.startTime : undefined;
}

function kill({ pid, startTime }: Marked): void {
  if (startTimeOf(pid) !== startTime) return;
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Gone since.
  }
}
