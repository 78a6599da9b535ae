import { readdirSync, readFileSync } from 'node:fs';

/**
 * Pids of all that descend from a process, each before its own children. Asks every thread: a child stands in
 * the list of the thread that forked it, and a Go program forks from whichever it is on. Tens of small reads, where
 * a walk over all of /proc costs 30 ms on a busy node.
 */
export const descendantsOf = (pid: number): number[] =>
  childrenOf(pid).flatMap((child) => [child, ...descendantsOf(child)]);

function childrenOf(pid: number): number[] {
  return threadsOf(pid).flatMap((thread) =>
    readProc(`/proc/${pid}/task/${thread}/children`).split(' ').filter(Boolean).map(Number),
  );
}

function threadsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}

/** The words that a process was started with. Empty for a zombie. */
export const wordsOf = (pid: number): string[] =>
  readProc(`/proc/${pid}/cmdline`).split('\0').filter(Boolean);

/** `rchar` counts calls of read, `read_bytes` pages fetched for a memory map; a load uses one or the other. */
export function bytesReadBy(pid: number): number {
  const io = readProc(`/proc/${pid}/io`);
  return Number(/^rchar: (\d+)/m.exec(io)?.[1] ?? 0) + Number(/^read_bytes: (\d+)/m.exec(io)?.[1] ?? 0);
}

/** Empty when the process is gone, or the kernel does not tell. */
function readProc(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
