/** What processes use, read from /proc. */
import { readdirSync, readFileSync } from 'node:fs';

/** A tick is 10 ms on every Linux that Node runs on. */
const ticksPerSecond = 100;
const pageBytes = 4096;

interface Stat {
  readonly pid: number;
  readonly parent: number;
  readonly ownSeconds: number;
  /** Of its children that have ended and were waited for, and theirs. */
  readonly childrenSeconds: number;
  readonly bytes: number;
}

function readStat(pid: number | 'self'): Stat | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name in parentheses may hold blanks. The fields after it are counted from 3.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const field = (n: number): number => Number(fields[n - 3]);
    return {
      pid: Number.parseInt(text),
      parent: field(4),
      ownSeconds: (field(14) + field(15)) / ticksPerSecond,
      childrenSeconds: (field(16) + field(17)) / ticksPerSecond,
      bytes: field(24) * pageBytes,
    };
  } catch {
    return undefined; // it went while we looked
  }
}

/** CPU time of all processes that this one has started, and theirs, once they have ended. */
export const endedChildrenSeconds = (): number => readStat('self')?.childrenSeconds ?? 0;

/** CPU time of one living process. */
export const secondsOf = (pid: number): number => readStat(pid)?.ownSeconds ?? 0;

const isStandIn = (pid: number): boolean => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes('stand-in.ts');
  } catch {
    return true;
  }
};

/** Resident memory of a process and all that descend from it, but for stand-ins. Shared pages count for each. */
export function treeBytes(root: number): number {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => readStat(Number(name)) ?? []);
  const inTree = new Set([root]);
  for (let before = 0; before < inTree.size;) {
    before = inTree.size;
    for (const { pid, parent } of all) if (inTree.has(parent)) inTree.add(pid);
  }
  return all
    .filter(({ pid }) => inTree.has(pid) && !isStandIn(pid))
    .reduce((sum, { bytes }) => sum + bytes, 0);
}
