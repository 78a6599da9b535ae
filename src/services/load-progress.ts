import { readFileSync, statSync } from 'node:fs';

/**
 * A value that changes while a server starts or loads: bytes of its log and bytes its processes have read. The
 * log alone is silent while a hundred gigabytes come from a network file system.
 */
export function loadProgress(pid: number, logFile: string): string {
  const log = statSync(logFile, { throwIfNoEntry: false })?.size ?? 0;
  return `${log}/${family(pid).reduce((sum, each) => sum + bytesRead(each), 0)}`;
}

/** The process and its descendants. */
function family(pid: number): number[] {
  const children = readProc(`/proc/${pid}/task/${pid}/children`).trim();
  return [pid, ...(children === '' ? [] : children.split(' ').flatMap((child) => family(Number(child))))];
}

/** `rchar` counts calls of read, `read_bytes` pages fetched for a memory map; a load uses one or the other. */
function bytesRead(pid: number): number {
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
