/**
 * The listing that several runs share, in one file: an item a line, then a line that says where each portion of
 * them begins, then the length of that line. Whoever opens it makes sure that it is whole, and reads his portions.
 */
import { createHash, randomUUID } from 'node:crypto';
import { type FileHandle, link, open, unlink } from 'node:fs/promises';
import type { PortionItem } from './portions.ts';

/** A claim and a mark are some ten small writes; and the last portion of all is what everybody waits for. */
const fewestItems = 16;
const mostPortions = 1024;
const bufferBytes = 256 * 1024;

const format = 1;

interface Contents {
  readonly format: typeof format;
  readonly items: number;
  /** Whether a corpus is among them, whose rows are documents. */
  readonly hasRows: boolean;
  /** Offsets in bytes: of each portion, and of the end. */
  readonly offsets: readonly number[];
  /** sha256 of all items, hex. */
  readonly digest: string;
}

export interface SharedListing extends AsyncDisposable {
  readonly items: number;
  readonly hasRows: boolean;
  readonly portions: number;
  readonly digest: string;
  read(portion: number): AsyncGenerator<PortionItem>;
}

/** The listing is not what its writer wrote: it must be made again. */
export class TornListing extends Error {}

/**
 * Writes it beside its place, syncs it and links it there. Whoever is first wins: a portion's number must mean the
 * same to everybody, and two listings need not agree.
 */
export async function publishListing(path: string, items: AsyncIterable<PortionItem>): Promise<void> {
  const beside = `${path}.${randomUUID().slice(0, 8)}.tmp`;
  try {
    await writeListing(beside, items);
    await link(beside, path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  } finally {
    await unlink(beside).catch(() => undefined);
  }
}

async function writeListing(path: string, items: AsyncIterable<PortionItem>): Promise<void> {
  await using file = await open(path, 'wx', 0o600);
  const starts = makeStarts();
  const digest = createHash('sha256');
  let buffered: string[] = [];
  let bufferedBytes = 0;
  let written = 0;
  let hasRows = false;
  const flush = async (): Promise<void> => {
    const text = buffered.join('');
    digest.update(text);
    await file.writeFile(text);
    written += bufferedBytes;
    [buffered, bufferedBytes] = [[], 0];
  };
  for await (const item of items) {
    const line = `${JSON.stringify(item)}\n`;
    starts.add(written + bufferedBytes);
    hasRows ||= item.kind === 'rows';
    buffered.push(line);
    bufferedBytes += Buffer.byteLength(line);
    if (bufferedBytes >= bufferBytes) await flush();
  }
  await flush();
  const offsets = [...starts.offsets(), written];
  const contents: Contents = {
    format,
    items: starts.count(),
    hasRows,
    offsets,
    digest: digest.digest('hex'),
  };
  const line = Buffer.from(`${JSON.stringify(contents)}\n`);
  await file.writeFile(Buffer.concat([line, trailer(line.length)]));
  await file.sync();
}

/** Notes where every n-th item begins, with n growing, so that there are never too many portions. */
function makeStarts(): { add(offset: number): void; offsets(): readonly number[]; count(): number } {
  let every = fewestItems;
  let starts: number[] = [];
  let items = 0;
  return {
    add: (offset) => {
      if (items % every === 0) starts.push(offset);
      items += 1;
      if (starts.length <= mostPortions) return;
      starts = starts.filter((_, at) => at % 2 === 0);
      every *= 2;
    },
    offsets: () => starts,
    count: () => items,
  };
}

const trailerBytes = 16;
const trailer = (length: number): Buffer => Buffer.from(`${length.toString(16).padStart(8, '0')} listing`);

/** Undefined when it is not there. @throws TornListing */
export async function openListing(path: string): Promise<SharedListing | undefined> {
  const file = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (file === undefined) return undefined;
  try {
    const contents = await readContents(file);
    await assertWhole(file, contents);
    const { items, hasRows, offsets, digest } = contents;
    const read = (portion: number): AsyncGenerator<PortionItem> =>
      readPortion(file, offsets[portion] ?? 0, offsets[portion + 1] ?? 0);
    return {
      items,
      hasRows,
      portions: offsets.length - 1,
      digest,
      read,
      [Symbol.asyncDispose]: () => file.close(),
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function readContents(file: FileHandle): Promise<Contents> {
  const { size } = await file.stat();
  const end = await readBytes(file, size - trailerBytes, size);
  const length = Number.parseInt(end.toString('latin1', 0, 8), 16);
  if (!end.equals(trailer(length))) throw new TornListing('its end is missing');
  const line = await readBytes(file, size - trailerBytes - length, size - trailerBytes);
  const contents = JSON.parse(line.toString()) as Contents;
  if (contents.format !== format) throw new TornListing('it is of another release');
  return contents;
}

/** Undamaged since it was written, so that nobody finds out in the middle of his work. */
async function assertWhole(file: FileHandle, { offsets, digest }: Contents): Promise<void> {
  const found = createHash('sha256');
  const end = offsets.at(-1) ?? 0;
  for (let at = 0; at < end; at += bufferBytes)
    found.update(await readBytes(file, at, Math.min(end, at + bufferBytes)));
  if (found.digest('hex') !== digest) throw new TornListing('its items are not those that were written');
}

async function* readPortion(file: FileHandle, from: number, to: number): AsyncGenerator<PortionItem> {
  let rest: Buffer = Buffer.alloc(0);
  for (let at = from; at < to; at += bufferBytes) {
    const piece = Buffer.concat([rest, await readBytes(file, at, Math.min(to, at + bufferBytes))]);
    const end = piece.lastIndexOf('\n') + 1;
    rest = piece.subarray(end);
    for (const line of piece.toString('utf8', 0, end).split('\n')) {
      if (line !== '') yield JSON.parse(line) as PortionItem;
    }
  }
}

async function readBytes(file: FileHandle, from: number, to: number): Promise<Buffer> {
  if (from < 0 || to < from) throw new TornListing('it is too short');
  const bytes = Buffer.alloc(to - from);
  const { bytesRead } = await file.read(bytes, 0, bytes.length, from);
  if (bytesRead < bytes.length) throw new TornListing('it is too short');
  return bytes;
}
