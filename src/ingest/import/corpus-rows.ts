/** Which rows of a corpus lie where: a vector belongs to a row by its number. */
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { isBlank } from '../../documents/rows.ts';
import { RagError } from '../../errors.ts';
import type { Slice } from '../slices.ts';

/** Whole lines of a corpus file. */
export interface NumberedSlice extends Slice {
  /** Number of its first row in the file, from 0. Blank lines are none. */
  readonly first: number;
  readonly rows: number;
}

/** As in an ingest: enough rows to be worth a message to a thread. */
const sliceBytes = 1024 * 1024;
const readBytes = 4 * 1024 * 1024;
const lineFeed = 0x0a;

/** Reads the file once, as fast as it comes, and keeps some 100 bytes a MiB of it. @throws aborted */
export async function numberedSlices(path: string, signal: AbortSignal): Promise<NumberedSlice[]> {
  const slices: NumberedSlice[] = [];
  let [from, first, rows] = [0, 0, 0];
  const end = (to: number): void => {
    if (to > from) slices.push({ from, to, first, rows });
    [from, first, rows] = [to, first + rows, 0];
  };
  let at = 0;
  for await (const lines of wholeLines(path)) {
    if (signal.aborted) throw new RagError('aborted', 'Cannot count the rows of a corpus: stopped');
    for (let begin = 0; begin < lines.length;) {
      const feed = lines.indexOf(lineFeed, begin);
      const after = feed < 0 ? lines.length : feed + 1;
      if (!isBlank(lines.subarray(begin, feed < 0 ? after : feed))) rows += 1;
      begin = after;
      if (at + begin - from >= sliceBytes) end(at + begin);
    }
    at += lines.length;
  }
  end(at);
  return slices;
}

/** The file in pieces that end where a line does. Its last line may have no feed. */
async function* wholeLines(path: string): AsyncGenerator<Buffer> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const block of createReadStream(path, { highWaterMark: readBytes }) as AsyncIterable<Buffer>) {
    const end = block.lastIndexOf(lineFeed) + 1;
    if (end > 0) yield Buffer.concat([rest, block.subarray(0, end)]);
    rest = Buffer.concat([...(end > 0 ? [] : [rest]), block.subarray(end)]);
  }
  if (rest.length > 0) yield rest;
}

/** A few rows of a slice, from one of its rows on: what is parsed of it then. */
export async function fewRows(
  path: string,
  { from, to, first, rows }: NumberedSlice,
  row: number,
  count: number,
): Promise<NumberedSlice> {
  await using handle = await open(path);
  const bytes = Buffer.alloc(to - from);
  await handle.read(bytes, 0, bytes.length, from);
  const begins: number[] = [];
  for (let begin = 0; begin < bytes.length;) {
    const feed = bytes.indexOf(lineFeed, begin);
    const after = feed < 0 ? bytes.length : feed + 1;
    if (!isBlank(bytes.subarray(begin, feed < 0 ? after : feed))) begins.push(begin);
    begin = after;
  }
  const end = Math.min(row - first + count, rows);
  return {
    from: from + (begins[row - first] ?? 0),
    to: from + (begins[end] ?? bytes.length),
    first: row,
    rows: end - (row - first),
  };
}
