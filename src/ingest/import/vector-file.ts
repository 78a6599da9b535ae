/** Vectors in a file: NumPy's, FAISS's flat index, or numbers and nothing else. Read a window at a time. */
import { open } from 'node:fs/promises';

import { messageOf } from '../../errors.ts';
import { fromHalf } from '../../store/write/half.ts';
import { headBytes, readHead, unusable, type VectorHead } from './vector-head.ts';

/** It is open only while a window is read: MedRAG's PubMed has more files than a process may have open. */
export interface VectorFile {
  readonly path: string;
  readonly head: VectorHead;
  /** The vector of a row, which stays as it is. Cheapest in rising order. @throws bad-document when the file shrank */
  at(row: number): Promise<Float32Array>;
}

/** What is read at once, and held as long as one of its vectors is. */
const windowBytes = 4 * 1024 * 1024;
const bytesOf = { f16: 2, f32: 4 };

/**
 * @param dimensions of a file that does not say it (FlashRAG's `emb_<method>.memmap`)
 * @throws bad-document
 */
export async function openVectors(path: string, dimensions: number): Promise<VectorFile> {
  const { first, size } = await readFirst(path).catch((error: unknown) => {
    throw unusable(path, messageOf(error), 'a file that can be read is wanted');
  });
  const head = readHead(path, first) ?? memmap(path, size, dimensions);
  checkSize(path, head, size);
  return { path, head, at: readRows(path, head) };
}

async function readFirst(path: string): Promise<{ readonly first: Buffer; readonly size: number }> {
  await using handle = await open(path);
  const { size } = await handle.stat();
  const first = Buffer.alloc(Math.min(headBytes, size));
  await handle.read(first, 0, first.length, 0);
  return { first, size };
}

function memmap(path: string, size: number, dimensions: number): VectorHead {
  const rows = size / (dimensions * bytesOf.f32);
  if (Number.isInteger(rows) && rows > 0) return { kind: 'memmap', rows, dimensions, type: 'f32', from: 0 };
  throw unusable(
    path,
    `its ${size} bytes are no rows of ${dimensions} float32`,
    'a .npy, a flat FAISS index or such rows are wanted',
    'index import CORPUS --vectors FILE --dimensions N   # N: as many as the encoder gave; of float16: np.save it as .npy',
  );
}

function checkSize(path: string, { from, rows, dimensions, type }: VectorHead, size: number): void {
  const row = dimensions * bytesOf[type];
  if (from + rows * row === size) return;
  const holds = Math.max(0, Math.floor((size - from) / row));
  throw size < from + rows * row
    ? unusable(path, `it is cut off after ${holds} of ${rows} rows`, 'a whole one is wanted', 'make it again')
    : unusable(path, `it goes on behind its ${rows} rows`, 'nothing may come after them', 'make it again');
}

function readRows(path: string, head: VectorHead): VectorFile['at'] {
  const { from, rows, dimensions, type } = head;
  const rowBytes = dimensions * bytesOf[type];
  const atOnce = Math.max(1, Math.floor(windowBytes / rowBytes));
  let window: { readonly first: number; readonly numbers: Float32Array } = {
    first: 0,
    numbers: new Float32Array(),
  };
  return async (row) => {
    const end = window.first + window.numbers.length / dimensions;
    if (row < window.first || row >= end) {
      const bytes = Buffer.alloc(Math.min(atOnce, rows - row) * rowBytes);
      await readFully(path, bytes, from + row * rowBytes);
      window = { first: row, numbers: numbersOf(bytes, type) };
    }
    const start = (row - window.first) * dimensions;
    return window.numbers.subarray(start, start + dimensions);
  };
}

async function readFully(path: string, bytes: Buffer, position: number): Promise<void> {
  await using handle = await open(path);
  for (let read = 0; read < bytes.length;) {
    const { bytesRead } = await handle.read(bytes, read, bytes.length - read, position + read);
    if (bytesRead === 0) throw unusable(path, 'it has become shorter', 'it must stay as it is');
    read += bytesRead;
  }
}

/** Little-endian, as the machines are that LanceDB is built for. */
const numbersOf = ({ buffer, byteOffset, length }: Buffer, type: VectorHead['type']): Float32Array =>
  type === 'f16'
    ? fromHalf(new Uint16Array(buffer, byteOffset, length / 2))
    : new Float32Array(buffer, byteOffset, length / 4);
