import { closeSync, fstatSync, mkdirSync, openSync, readSync } from 'node:fs';
import { dirname } from 'node:path';

const maxTailBytes = 64 * 1024;

export interface LogFile {
  /** For the child's stdout and stderr. A file, never a pipe: a blocked event loop must not block the child. */
  readonly fd: number;
  /** Where this start's lines begin; what stands before was written by earlier starts. */
  readonly from: number;
}

/** Opens for appending, readable by the owner only. The caller closes `fd` once the child has its copy. */
export function openLog(path: string): LogFile {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const fd = openSync(path, 'a', 0o600);
  return { fd, from: fstatSync(fd).size };
}

/**
 * The last lines, newest last, out of the last 64 KiB that were written after `from`. Empty when the file is
 * gone; from the beginning when it became shorter (it was rotated).
 */
export function logTail(path: string, from: number, lines: number): string[] {
  const fd = tryOpen(path);
  if (fd === undefined) return [];
  try {
    const { size } = fstatSync(fd);
    const start = Math.max(size < from ? 0 : from, size - maxTailBytes);
    const buffer = Buffer.alloc(size - start);
    const read = readSync(fd, buffer, 0, buffer.length, start);
    return buffer.toString('utf8', 0, read).trimEnd().split(/\r?\n/).filter(Boolean).slice(-lines);
  } finally {
    closeSync(fd);
  }
}

function tryOpen(path: string): number | undefined {
  try {
    return openSync(path, 'r');
  } catch {
    return undefined;
  }
}
