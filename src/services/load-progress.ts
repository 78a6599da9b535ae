import { statSync } from 'node:fs';
import { bytesReadBy, descendantsOf } from '../machine/family.ts';

/**
 * A value that changes while a server starts or loads: bytes of its log and bytes its processes have read. The
 * log alone is silent while a hundred gigabytes come from a network file system.
 */
export function loadProgress(pid: number, logFile: string): string {
  const log = statSync(logFile, { throwIfNoEntry: false })?.size ?? 0;
  return `${log}/${[pid, ...descendantsOf(pid)].reduce((sum, each) => sum + bytesReadBy(each), 0)}`;
}
