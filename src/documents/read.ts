import { closeSync, constants, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { codeOf, messageOf, RagError } from '../errors.ts';

/**
 * Reading in a thread, synchronously: 4 times faster than promises for many small files. Only regular files
 * are opened: opening a FIFO waits for a writer, opening a device can do anything. Messages are reasons
 * ("the file is gone"): the report that they go into names the document.
 */

const mebibyte = 1024 * 1024;

/** @throws bad-document */
export const readWhole = (path: string, maxBytes: number): Buffer =>
  withFile(path, (descriptor, size) => readBytes(descriptor, 0, size, maxBytes));

/** Bytes `[from, to)` of a file. @throws bad-document also when the file has become shorter */
export const readSlice = (path: string, from: number, to: number, maxBytes: number): Buffer =>
  withFile(path, (descriptor, size) => {
    if (size < to) throw bad('the file has become shorter while it was read');
    return readBytes(descriptor, from, to - from, maxBytes);
  });

function withFile(path: string, use: (descriptor: number, size: number) => Buffer): Buffer {
  try {
    if (!statSync(path).isFile()) throw bad('it is not a regular file');
    // Non-blocking, in case it has become a FIFO since.
    const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const now = fstatSync(descriptor);
      if (!now.isFile()) throw bad('it is not a regular file');
      return use(descriptor, now.size);
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    throw codeOf(error) === undefined ? bad(reasonOf(error), error) : error;
  }
}

function readBytes(descriptor: number, from: number, length: number, maxBytes: number): Buffer {
  if (length > maxBytes) {
    const size = (length / mebibyte).toFixed(1);
    throw bad(`it is too large: ${size} MiB, at most ${(maxBytes / mebibyte).toFixed(1)} MiB are read`);
  }
  const buffer = Buffer.allocUnsafeSlow(length);
  let read = 0;
  while (read < length) {
    const count = readSync(descriptor, buffer, read, length - read, from + read);
    if (count === 0) break; // it has become shorter
    read += count;
  }
  return buffer.subarray(0, read);
}

const bad = (reason: string, cause?: unknown): RagError => new RagError('bad-document', reason, { cause });

/** Says why a file could not be read, from the error of the file system. */
export function reasonOf(error: unknown): string {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  switch (code) {
    case 'EACCES':
    case 'EPERM':
      return 'there is no permission to read it';
    case 'ENOENT':
      return 'it does not exist';
    case 'ELOOP':
      return 'it is a link to itself';
    default:
      return `it cannot be read: ${messageOf(error)}`;
  }
}
