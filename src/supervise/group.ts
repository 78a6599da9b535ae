import treeKill from 'tree-kill';
import {
  isAlive,
  type ProcessStat,
  processesMarked,
  processesOfGroup,
  readStat,
} from '../machine/processes.ts';
import { never, pause } from './pause.ts';

/** A process group that leads its own session: a child of ours and all that it started. */
export interface Group {
  readonly pgid: number;
  /** Start time of the leader. A leader with another one is a stranger that got the number again. */
  readonly leaderStart: number | undefined;
  /**
   * The leader only keeps the namespaces of the others. It ends with them; a version of it that obeys TERM would
   * have all of them killed at once.
   */
  readonly contained?: boolean;
  /** `NAME=value` in the environment of this start alone: finds those that went into a session of their own. */
  readonly mark?: string | undefined;
}

/** `left`: still there after SIGKILL, in uninterruptible sleep (a driver's teardown, a dead file server). */
export type GroupStop =
  | { readonly outcome: 'already-empty' | 'stopped' | 'killed' }
  | { readonly outcome: 'left'; readonly pids: readonly number[] };

/** How long a killed process may take to go. Freeing tens of GB of GPU memory takes seconds. */
const killMs = 10_000;

/**
 * Signals the group, waits until it is empty, kills what is left, and looks again. The group, not the leader:
 * a leader that obeys TERM often leaves children that do not. Returns after `graceMs` + 10 s at most.
 */
export async function stopGroup(
  group: Group,
  shutdown: { readonly signal: NodeJS.Signals; readonly graceMs: number },
): Promise<GroupStop> {
  if (process.platform !== 'linux') return stopTree(group);
  // A stopped process keeps TERM pending until it is continued.
  if (send(group, shutdown.signal, 'SIGCONT') === 'nobody') return { outcome: 'already-empty' };
  if ((await untilEmpty(group, shutdown.graceMs)) === 'empty') return { outcome: 'stopped' };
  send(group, 'SIGKILL');
  if ((await untilEmpty(group, killMs)) === 'empty') return { outcome: 'killed' };
  return { outcome: 'left', pids: membersOf(group).map((one) => one.pid) };
}

function membersOf({ pgid, leaderStart, mark }: Group): ProcessStat[] {
  const members = processesOfGroup(pgid);
  const leader = members.find((one) => one.pid === pgid);
  const isStrange = leader !== undefined && leader.startTime !== leaderStart;
  const escaped = mark === undefined ? [] : processesMarked(mark).filter(({ session }) => session !== pgid);
  return isStrange ? escaped : [...members, ...escaped];
}

/**
 * To every group inside the session; where there is a keeper of namespaces, to every process, and to that one only to
 * wake it or to kill it. Reads the members anew: a number is signalled only while it is ours.
 */
function send(group: Group, ...signals: readonly NodeJS.Signals[]): 'sent' | 'nobody' {
  const members = membersOf(group);
  if (group.contained === true && !members.some((one) => isInside(one, group))) signals = ['SIGKILL'];
  const spared = group.contained === true && !signals.includes('SIGKILL') ? group.pgid : undefined;
  const targets =
    spared === undefined ? new Set(members.map((one) => -one.group)) : members.map((one) => one.pid);
  for (const target of targets) {
    // A stopped keeper would not see the end of its namespace.
    const heard = target === spared ? signals.filter((signal) => signal === 'SIGCONT') : signals;
    try {
      for (const signal of heard) process.kill(target, signal);
    } catch {
      // Gone since, or not ours to signal (a set-uid program): the wait that follows tells which.
    }
  }
  return members.length === 0 ? 'nobody' : 'sent';
}

/** Neither the keeper nor the first process, which are there before the program and deaf. */
const isInside = ({ pid, parent }: ProcessStat, { pgid }: Group): boolean => pid !== pgid && parent !== pgid;

/** Watches the members it knows (a few small reads); all of /proc is read again only when these are gone. */
async function untilEmpty(group: Group, timeoutMs: number): Promise<'empty' | 'timed-out'> {
  const deadline = performance.now() + timeoutMs;
  let members = membersOf(group);
  for (let waitMs = 5; members.length > 0; waitMs = Math.min(waitMs * 2, 100)) {
    const leftMs = deadline - performance.now();
    if (leftMs <= 0) return 'timed-out';
    await pause(Math.min(waitMs, leftMs), never);
    members = members.filter(isStillThere);
    if (members.length === 0) members = membersOf(group);
  }
  return 'empty';
}

function isStillThere(known: ProcessStat): boolean {
  const now = readStat(known.pid);
  return now !== undefined && now.startTime === known.startTime && isAlive(now);
}

/** Where there is no /proc (a laptop): a walk from the leader, which finds nothing once the leader is gone. */
const stopTree = (group: Group): Promise<GroupStop> =>
  new Promise((resolve) => {
    treeKill(group.pgid, 'SIGKILL', () => resolve({ outcome: 'killed' }));
  });
