/** Headers of GGUF files: what a model is made of, without its weights. */
import { open, type FileHandle } from 'node:fs/promises';
import { messageOf, RagError } from '../errors.ts';

export type GgufScalar = number | bigint | boolean | string;
export type GgufValue = GgufScalar | readonly GgufScalar[];

export interface GgufHeader {
  readonly version: number;
  readonly tensors: number;
  /** By key, as `general.architecture`. An array that was not wanted is missing. */
  readonly metadata: ReadonlyMap<string, GgufValue>;
}

/** A vocabulary of 260,000 words with its merges takes some 12 MB. */
const largestHeader = 256 * 1024 * 1024;
const firstPiece = 1024 * 1024;

/**
 * @param wants which arrays are read; the vocabulary has 150,000 entries, and hardly anybody wants it
 * @throws bad-document when the file is no GGUF file or its header is damaged
 */
export async function readGguf(
  path: string,
  wants: (key: string) => boolean = () => false,
): Promise<GgufHeader> {
  await using file = await open(path, 'r');
  // Sizes stand before the values, so nobody knows how long the header is: it is read anew with more of the file.
  for (let bytes = firstPiece; ; bytes *= 4) {
    const piece = await readStart(file, bytes);
    try {
      return parseGguf(piece, wants);
    } catch (error) {
      if (!(error instanceof RangeError)) throw damaged(path, messageOf(error));
      if (piece.length < bytes || bytes >= largestHeader) throw damaged(path, 'it ends within its header');
    }
  }
}

async function readStart(file: FileHandle, bytes: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(bytes);
  let filled = 0;
  while (filled < bytes) {
    const { bytesRead } = await file.read(buffer, filled, bytes - filled, filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}

const damaged = (path: string, what: string): RagError =>
  new RagError('bad-document', `Cannot read the model file ${path}: ${what}, a GGUF file is wanted`, {
    hint: 'ollama pull MODEL   # fetches it anew',
  });

/**
 * @param bytes the beginning of a file
 * @throws RangeError when more of it is wanted; an error that says what is wrong with it
 */
function parseGguf(bytes: Buffer, wants: (key: string) => boolean): GgufHeader {
  if (bytes.length >= 4 && bytes.toString('latin1', 0, 4) !== 'GGUF')
    throw new Error('it does not begin as one');
  const cursor = openCursor(bytes, 4);
  const version = bytes.readUInt32LE(cursor.skip(4));
  if (version < 2 || version > 3) throw new Error(`it is of version ${version}, 2 and 3 are known`);
  const [tensors, pairs] = [cursor.count(), cursor.count()];
  const metadata = new Map<string, GgufValue>();
  for (let pair = 0; pair < pairs; pair++) {
    const key = cursor.text();
    const type = bytes.readUInt32LE(cursor.skip(4));
    const found = type === arrayType ? readArray(bytes, cursor, wants(key)) : readScalar(bytes, cursor, type);
    if (found !== undefined) metadata.set(key, found);
  }
  return { version, tensors, metadata };
}

interface Cursor {
  /** Moves on. @returns where it was */
  skip(size: number): number;
  /** A number of things, or of bytes. */
  count(): number;
  text(): string;
}

function openCursor(bytes: Buffer, start: number): Cursor {
  let at = start;
  const skip = (size: number): number => {
    const before = at;
    at += size;
    if (at > bytes.length) throw new RangeError('more is wanted');
    return before;
  };
  const count = (): number => {
    const value = bytes.readBigUInt64LE(skip(8));
    if (value > BigInt(largestHeader)) throw new Error('it claims to hold more than any file does');
    return Number(value);
  };
  const text = (): string => {
    const length = count();
    const from = skip(length);
    return bytes.toString('utf8', from, from + length);
  };
  return { skip, count, text };
}

/** What reads a type of value, by its number in the format. */
const readers: Readonly<
  Record<number, readonly [size: number, read: (at: Buffer, offset: number) => GgufScalar]>
> = {
  0: [1, (at, offset) => at.readUInt8(offset)],
  1: [1, (at, offset) => at.readInt8(offset)],
  2: [2, (at, offset) => at.readUInt16LE(offset)],
  3: [2, (at, offset) => at.readInt16LE(offset)],
  4: [4, (at, offset) => at.readUInt32LE(offset)],
  5: [4, (at, offset) => at.readInt32LE(offset)],
  6: [4, (at, offset) => at.readFloatLE(offset)],
  7: [1, (at, offset) => at.readUInt8(offset) !== 0],
  10: [8, (at, offset) => at.readBigUInt64LE(offset)],
  11: [8, (at, offset) => at.readBigInt64LE(offset)],
  12: [8, (at, offset) => at.readDoubleLE(offset)],
};
const textType = 8;
const arrayType = 9;

function readScalar(bytes: Buffer, cursor: Cursor, type: number): GgufScalar {
  if (type === textType) return cursor.text();
  const [size, read] = readers[type] ?? unknown(type);
  return read(bytes, cursor.skip(size));
}

/** Undefined for one that is passed over: arrays of arrays are, nobody writes them. */
function readArray(bytes: Buffer, cursor: Cursor, isWanted: boolean): readonly GgufScalar[] | undefined {
  const type = bytes.readUInt32LE(cursor.skip(4));
  const length = cursor.count();
  if (type === arrayType) {
    for (let each = 0; each < length; each++) readArray(bytes, cursor, false);
    return undefined;
  }
  if (isWanted) return Array.from({ length }, () => readScalar(bytes, cursor, type));
  if (type !== textType) cursor.skip((readers[type] ?? unknown(type))[0] * length);
  else for (let each = 0; each < length; each++) cursor.skip(cursor.count());
  return undefined;
}

function unknown(type: number): never {
  throw new Error(`it has a value of the unknown type ${type}`);
}
