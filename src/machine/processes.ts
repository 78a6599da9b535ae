import { readdirSync, readFileSync } from 'node:fs';

/** One process as the kernel tells of it in `/proc/PID/stat`. */
export interface ProcessStat {
  readonly pid: number;
  /** One letter: R running, S sleeping, D in uninterruptible sleep, T stopped, Z zombie, X dead. */
  readonly state: string;
  readonly parent: number;
  readonly group: number;
  readonly session: number;
  readonly threads: number;
  /** Computed by all of its threads, those that have ended included. */
  readonly cpuMs: number;
  /** Clock ticks since boot. Together with the pid it names a process for ever: pids come back, pairs do not. */
  readonly startTime: number;
}

/**
 * @param line content of `/proc/PID/stat`. The name is in parentheses and may hold spaces and parentheses
 *   itself, so the fields are counted from the last `)`.
 */
export function parseStat(line: string): ProcessStat {
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
  // Field n of proc(5) is at n - 3: pid and name are cut off.
  const number = (n: number): number => Number(fields[n - 3]);
  return {
    pid: Number.parseInt(line, 10),
    state: fields[0] ?? 'X',
    parent: number(4),
    group: number(5),
    session: number(6),
    // In clock ticks for programs to read: 100 a second everywhere but on Alpha.
    cpuMs: (number(14) + number(15)) * 10,
    threads: number(20),
    startTime: number(22),
  };
}

/** Undefined when there is no such process (any more). */
export function readStat(pid: number): ProcessStat | undefined {
  try {
    // UTF-8 is Node's fast path: 3 times as fast, and no buffer of 64 KiB each time.
    return parseStat(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return undefined;
  }
}

/**
 * A zombie is dead and only waits for its parent. But a zombie with more than one thread is a process whose
 * main thread ended first: the others still run and hold its memory, on the GPU too.
 */
export const isAlive = (process: ProcessStat): boolean =>
  process.state !== 'X' && (process.state !== 'Z' || process.threads > 1);

/**
 * The living processes of a group that leads its own session, and of the groups that its members made inside
 * that session: `timeout` and shells with job control leave the group, but not the session.
 * Reads all of /proc (about 20 microseconds a process): not for hot paths.
 */
export function processesOfGroup(pgid: number): ProcessStat[] {
  return runningPids()
    .map(readStat)
    .filter((one) => one !== undefined)
    .filter((one) => (one.group === pgid || one.session === pgid) && isAlive(one));
}

/** Of all users, zombies too. */
export const runningPids = (): number[] =>
  readdirSync('/proc')
    .filter((name) => name >= '0' && name < ':')
    .map(Number);

/** `NAME=value` pairs that a process was started with. Empty for a zombie, and for a process of another user. */
export function environmentOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').filter(Boolean);
  } catch {
    return [];
  }
}

const jobVariable = 'SLURM_JOB_ID=';

/** As processes of this job have it in their environment; with nothing behind it outside Slurm. */
export const ownJob = (): string =>
  environmentOf(process.pid).find((pair) => pair.startsWith(jobVariable)) ?? jobVariable;

/** `sbatch` hands our marks on to a job that a workload submits, which is none of ours. @param environment of a process */
export const isOfAnotherJob = (environment: readonly string[]): boolean =>
  environment.some((pair) => pair.startsWith(jobVariable)) && !environment.includes(ownJob());

/** Whether a process was started with this `NAME=value` in its environment, by this job. */
export function isMarked(pid: number, pair: string): boolean {
  const environment = environmentOf(pid);
  return environment.includes(pair) && !isOfAnotherJob(environment);
}

/** The living ones that are. Not for hot paths, either. */
export const processesMarked = (pair: string): ProcessStat[] =>
  runningPids()
    .filter((pid) => isMarked(pid, pair))
    .map(readStat)
    .filter((one) => one !== undefined)
    .filter(isAlive);

export const parentOf = (pid: number): number | undefined => readStat(pid)?.parent;

/** Clock ticks since boot; undefined when there is no such process. */
export const startTimeOf = (pid: number): number | undefined => readStat(pid)?.startTime;
