/** The processes that hold the models of an `ollama serve`. Its memory, its GPUs and its hangs are theirs. */
import { bytesReadBy, descendantsOf, wordsOf } from '../machine/family.ts';
import { isAlive, readStat, type ProcessStat } from '../machine/processes.ts';

/** What runners have done so far. */
export interface Effort {
  readonly cpuMs: number;
  readonly readBytes: number;
}

/**
 * @param pid of the server, or of a program that holds it in namespaces: the last of them that is called with `serve`
 *   as its last word is the server itself, and all that descend from it are runners
 */
export function runnersOf(pid: number): ProcessStat[] {
  const server = [pid, ...descendantsOf(pid)].findLast((each) => wordsOf(each).at(-1) === 'serve');
  if (server === undefined) return [];
  return descendantsOf(server).flatMap((each) => {
    const stat = readStat(each);
    return stat !== undefined && isAlive(stat) ? [stat] : [];
  });
}

export const effortOf = (runners: readonly ProcessStat[]): Effort => ({
  cpuMs: runners.reduce((sum, { cpuMs }) => sum + cpuMs, 0),
  readBytes: runners.reduce((sum, { pid }) => sum + bytesReadBy(pid), 0),
});

/** The server loads again at its next request. Returns the pids of those that were there. */
export function killRunners(pid: number): number[] {
  return runnersOf(pid).flatMap((runner) => {
    // A number that changed hands since we looked is nobody of ours.
    if (readStat(runner.pid)?.startTime !== runner.startTime) return [];
    try {
      process.kill(runner.pid, 'SIGKILL');
      return [runner.pid];
    } catch {
      return []; // gone since
    }
  });
}
