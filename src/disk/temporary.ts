import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { messageOf, RagError } from '../errors.ts';
import { asDiskFull } from './atomic.ts';

/** A Unix socket's path has 107 bytes at most, and the names of a folder and of the socket come behind this. */
const longestBase = 48;

/** Where folders of ours that hold sockets go. @param given TMPDIR, as somebody has set it */
export function temporaryBase(given: string | undefined): string {
  const base = resolve(given === undefined || given === '' ? tmpdir() : given);
  return Buffer.byteLength(base) > longestBase ? '/tmp' : base;
}

/** A new folder of one's own, 0700. @throws preflight, disk-full */
export async function makeTemporary(base: string, prefix: string): Promise<string> {
  return mkdtemp(join(base, prefix)).catch((error: unknown) => {
    throw noFolder(base, error);
  });
}

/** A job often has the TMPDIR of the host that it was submitted on. */
function noFolder(base: string, cause: unknown): RagError {
  const full = asDiskFull(cause, base);
  if (full instanceof RagError) return full;
  return new RagError(
    'preflight',
    `Cannot make a folder in ${base} (TMPDIR): ${messageOf(cause)}, one that can be written is wanted`,
    { hint: 'export TMPDIR=/tmp', cause },
  );
}
