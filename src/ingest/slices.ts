import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { looksLikeRows } from '../documents/rows.ts';

/** Bytes `[from, to)` of a corpus file, ending after a `\n` or at the end of the file. */
export interface Slice {
  readonly from: number;
  readonly to: number;
}

/** Enough rows to be worth a message to a thread, few enough to keep all threads busy and memory flat. */
const sliceBytes = 1024 * 1024;
const headBytes = 64 * 1024;
const lineFeed = 0x0a;

/** @param name of the file, or its path */
export const isNamedRows = (name: string): boolean => /\.(?:jsonl|ndjson)$/iu.test(name);

/** Smaller files of any other name go to a thread whole, which recognises rows too: they need no opening here. */
export const mayNeedSlicing = (name: string, size: number): boolean => size > sliceBytes || isNamedRows(name);

/**
 * The slices of a JSON Lines corpus; none when the file is not one, or cannot be read. Reads the head of the
 * file and, for each slice, the few kilobytes in which its last line ends.
 */
export async function* sliceRows(path: string, size: number): AsyncGenerator<Slice> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch(() => undefined);
  if (handle === undefined) return;
  try {
    const head = Buffer.alloc(Math.min(headBytes, size));
    const { bytesRead } = await handle.read(head, 0, head.length, 0);
    if (!looksLikeRows(head.subarray(0, bytesRead))) return;
    for (let from = 0; from < size;) {
      const to = from + sliceBytes >= size ? size : await afterLine(handle, from + sliceBytes, size);
      yield { from, to };
      from = to;
    }
  } finally {
    await handle.close();
  }
}

/** The offset after the first `\n` at or after `at`. */
async function afterLine(handle: FileHandle, at: number, size: number): Promise<number> {
  const window = Buffer.alloc(16 * 1024);
  for (let from = at; from < size;) {
    const { bytesRead } = await handle.read(window, 0, window.length, from);
    if (bytesRead === 0) break;
    const end = window.subarray(0, bytesRead).indexOf(lineFeed);
    if (end >= 0) return from + end + 1;
    from += bytesRead;
  }
  return size;
}
