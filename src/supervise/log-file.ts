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
 * The last lines, newest last, out of the last 64 KiB that were written after `from`; from the beginning when
 * the file became shorter (it was rotated). Never throws: a log that cannot be read must not change what
 * happens to its child.
 */
export function logTail(path: string, from: number, lines: number): string[] {
  try {
    return readTail(path, from).split(/\r?\n/).filter(Boolean).slice(-lines);
  } catch {
    return [];
  }
}

function readTail(path: string, from: number): string {
  const fd = openSync(path, 'r');
  try {
    const { size } = fstatSync(fd);
    const start = Math.max(size < from ? 0 : from, size - maxTailBytes);
    const buffer = Buffer.alloc(size - start);
    return buffer.toString('utf8', 0, readSync(fd, buffer, 0, buffer.length, start));
  } finally {
    closeSync(fd);
  }
}
