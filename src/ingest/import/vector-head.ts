/** What the first bytes of a file of vectors say: NumPy's `.npy`, or FAISS's flat index. Pure. */
import { RagError } from '../../errors.ts';
import { shellWord } from '../../observe/terminal.ts';

/** Where the rows begin and what they are made of; they follow each other without a gap. */
export interface VectorHead {
  readonly kind: 'npy' | 'faiss' | 'memmap';
  readonly rows: number;
  readonly dimensions: number;
  readonly type: 'f16' | 'f32';
  /** Of the first row, in bytes. */
  readonly from: number;
}

/** Heads of `.npy` files are shorter, unless somebody names a thousand columns. */
export const headBytes = 4096;

/** @param head the first `headBytes` of the file, or all of it. @returns undefined for what has no head. @throws bad-document */
export function readHead(path: string, head: Buffer): VectorHead | undefined {
  if (head.subarray(0, 6).equals(npyMagic)) return readNpy(path, head);
  const kind = head.toString('latin1', 0, 4);
  return /^I[A-Za-z\d]{3}$/u.test(kind) ? readFaiss(path, head, kind) : undefined;
}

const npyMagic = Buffer.from('\x93NUMPY', 'latin1');
const npyTypes: Readonly<Record<string, VectorHead['type']>> = { '<f4': 'f32', '<f2': 'f16' };

function readNpy(path: string, head: Buffer): VectorHead {
  // Version 1 says the length of its text in 2 bytes, 2 and 3 say it in 4.
  const isFirst = head[6] === 1;
  const from = isFirst ? 10 + head.readUInt16LE(8) : 12 + head.readUInt32LE(8);
  if (from > head.length) throw unusable(path, 'its head is cut off', 'make it again');
  const said = head.toString('latin1', isFirst ? 10 : 12, from);
  const descr = /'descr':\s*'([^']*)'/u.exec(said)?.[1] ?? '?';
  const [rows, dimensions, ...more] = (/'shape':\s*\(([^)]*)\)/u.exec(said)?.[1] ?? '')
    .split(',')
    .filter((word) => word.trim() !== '')
    .map(Number);
  if (rows === undefined || dimensions === undefined || more.length > 0)
    throw unusable(path, 'it is no table', 'one of rows and columns is wanted');
  const type = npyTypes[descr];
  const isByColumn = /'fortran_order':\s*True/u.test(said) && rows > 1 && dimensions > 1;
  if (type !== undefined && !isByColumn) return { kind: 'npy', rows, dimensions, type, from };
  const is = isByColumn ? 'its columns follow each other (Fortran order)' : `its numbers are ${descr}`;
  throw unusable(path, is, 'rows of <f4 or <f2 are wanted', asRows(path));
}

const asRows = (path: string): string =>
  python(
    "import numpy as np; np.save(sys.argv[2], np.ascontiguousarray(np.load(sys.argv[1]), dtype='<f4'))",
    path,
    `${path}.rows.npy`,
  );

/** IndexFlatIP, IndexFlatL2, IndexFlat. */
const flatKinds = ['IxFI', 'IxF2', 'IxFl'];

/** As `write_index` of FAISS writes it: dimensions, rows, two numbers of no use, trained, metric [and its argument], numbers. */
function readFaiss(path: string, head: Buffer, kind: string): VectorHead {
  if (!flatKinds.includes(kind)) {
    throw unusable(path, `it is a FAISS index of kind ${kind}`, 'a flat one is wanted', asFlat(path));
  }
  if (head.length < 45) throw unusable(path, 'its head is cut off', 'make it again');
  const dimensions = head.readInt32LE(4);
  const rows = Number(head.readBigInt64LE(8));
  const counted = head.readInt32LE(33) > 1 ? 41 : 37;
  const numbers = Number(head.readBigUInt64LE(counted));
  if (numbers !== rows * dimensions)
    throw unusable(path, `it has ${numbers} numbers for ${rows} rows of ${dimensions}`, 'make it again');
  return { kind: 'faiss', rows, dimensions, type: 'f32', from: counted + 8 };
}

/** Kinds that have compressed their vectors give back others: then the comparison says so. */
const asFlat = (path: string): string =>
  python(
    'import faiss; i = faiss.read_index(sys.argv[1]); f = faiss.IndexFlatIP(i.d); f.add(i.reconstruct_n(0, i.ntotal)); faiss.write_index(f, sys.argv[2])',
    path,
    `${path}.flat.index`,
  );

const python = (program: string, from: string, to: string): string =>
  `python3 -c "import sys; ${program}" ${shellWord(from)} ${shellWord(to)}`;

export const unusable = (path: string, is: string, wanted: string, hint?: string): RagError =>
  new RagError('bad-document', `Cannot import ${path}: ${is}, ${wanted}`, { hint });
