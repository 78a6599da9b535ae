import { crc32 } from 'node:zlib';
import { type Entry, fromBufferPromise, type ZipFile } from 'yauzl';
import { codeOf, messageOf, RagError } from '../errors.ts';
import { cleanLine } from './clean.ts';

/**
 * The archive that office documents and e-books are. Its directory is judged before any byte is inflated: a
 * file of 298 kB once made a parser take 1.28 GB, and succeeded. What the directory declares holds, because a
 * part that inflates to another size fails. Names are looked up, never written; an archive inside is not opened.
 */
export interface Archive {
  has(name: string): boolean;
  readonly names: readonly string[];
  /** A part, inflated piece by piece. @throws bad-document when it is missing or damaged, also at its end */
  pieces(name: string): AsyncIterable<Buffer>;
}

const mebibyte = 1024 * 1024;
const limits = {
  entries: 20_000,
  entryBytes: 512 * mebibyte,
  totalBytes: 2048 * mebibyte,
  /** Sheets of repeated numbers reach 100; DEFLATE ends at 1,032. */
  ratio: 250,
  /** Whatever its ratio, so little harms nobody. */
  harmlessBytes: 16 * mebibyte,
};

/** @throws bad-document when it is damaged or would inflate to too much */
export async function openArchive(bytes: Buffer): Promise<Archive> {
  const entries = new Map<string, Entry>();
  const zip = await readDirectory(bytes, entries);
  return {
    has: (name) => entries.has(name),
    names: [...entries.keys()],
    pieces: (name) => inflate(zip, name, entries.get(name)),
  };
}

/** The first of two entries with one name counts. */
async function readDirectory(bytes: Buffer, entries: Map<string, Entry>): Promise<ZipFile> {
  let [count, packed, unpacked] = [0, 0, 0];
  try {
    const zip = await fromBufferPromise(bytes, { autoClose: false });
    if (zip.entryCount > limits.entries) throw bomb(`it has ${zip.entryCount} parts`);
    for await (const entry of zip.eachEntry()) {
      packed += entry.compressedSize;
      unpacked += entry.uncompressedSize;
      if (++count > limits.entries) throw bomb(`it has more than ${limits.entries} parts`);
      checkEntry(entry);
      if (unpacked > limits.totalBytes) throw bomb(`it unpacks to more than ${inMiB(limits.totalBytes)}`);
      if (!entries.has(entry.fileName)) entries.set(entry.fileName, entry);
    }
    // The parts of an honest archive lie one after the other.
    if (packed > bytes.length) throw bomb('its parts overlap');
    return zip;
  } catch (error) {
    throw codeOf(error) === undefined ? damaged(error) : error;
  }
}

function checkEntry({ compressedSize, uncompressedSize }: Entry): void {
  if (uncompressedSize > limits.entryBytes) throw bomb(`a part unpacks to ${inMiB(uncompressedSize)}`);
  const ratio = uncompressedSize / Math.max(1, compressedSize);
  if (uncompressedSize > limits.harmlessBytes && ratio > limits.ratio)
    throw bomb(`a part unpacks to ${Math.round(ratio)} times its size`);
}

async function* inflate(zip: ZipFile, name: string, entry: Entry | undefined): AsyncGenerator<Buffer> {
  if (entry === undefined) throw new RagError('bad-document', `it is damaged: it has no part ${shown(name)}`);
  if (entry.isEncrypted()) throw new RagError('bad-document', 'it is encrypted, it needs a password');
  let sum = 0;
  try {
    const stream = await zip.openReadStreamPromise(entry);
    for await (const piece of stream as AsyncIterable<Buffer>) {
      sum = crc32(piece, sum);
      yield piece;
    }
  } catch (error) {
    throw codeOf(error) === undefined ? damaged(error) : error;
  }
  if (sum !== entry.crc32)
    throw new RagError('bad-document', `it is damaged: the checksum of ${shown(name)} is wrong`);
}

const shown = (name: string): string => cleanLine(name).slice(0, longestDetail);

const inMiB = (bytes: number): string => `${Math.round(bytes / mebibyte)} MiB`;

const bomb = (what: string): RagError =>
  new RagError('bad-document', `it looks like an archive bomb: ${what}`);

/** What the library says may quote the file. */
function damaged(error: unknown): RagError {
  const said = cleanLine(messageOf(error));
  const what = /end of central directory/iu.test(said)
    ? 'its directory is missing'
    : said.slice(0, longestDetail);
  return new RagError('bad-document', `it is damaged or cut off: ${what}`, { cause: error });
}

const longestDetail = 120;
