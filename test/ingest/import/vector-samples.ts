/** Files of vectors as NumPy, FAISS and FlashRAG write them. */
import { toHalf } from '../../../src/store/write/half.ts';

export interface Npy {
  readonly descr?: string;
  readonly order?: boolean;
  readonly shape: string;
  readonly version?: 1 | 2;
}

/** As `np.save` writes it. */
export function npy(body: Buffer, { descr = '<f4', order = false, shape, version = 1 }: Npy): Buffer {
  const said = `{'descr': '${descr}', 'fortran_order': ${order ? 'True' : 'False'}, 'shape': (${shape}), }`;
  const before = version === 1 ? 10 : 12;
  const length = Math.ceil((before + said.length + 1) / 64) * 64 - before;
  const head = Buffer.alloc(before);
  head.write('\x93NUMPY', 'latin1');
  head[6] = version;
  if (version === 1) head.writeUInt16LE(length, 8);
  else head.writeUInt32LE(length, 8);
  return Buffer.concat([head, Buffer.from(`${said.padEnd(length - 1)}\n`, 'latin1'), body]);
}

export const floats = (rows: readonly Float32Array[]): Buffer =>
  Buffer.concat(rows.map((row) => Buffer.from(row.buffer, row.byteOffset, row.byteLength)));

export const halves = (rows: readonly Float32Array[]): Buffer =>
  Buffer.concat(rows.map((row) => Buffer.from(toHalf(row).buffer)));

/** As `faiss.write_index` writes an IndexFlat. */
export function faissFlat(rows: readonly Float32Array[], kind = 'IxFI', metric = 0): Buffer {
  const dimensions = rows[0]?.length ?? 0;
  const argument = metric > 1 ? 4 : 0;
  const head = Buffer.alloc(45 + argument);
  head.write(kind, 'latin1');
  head.writeInt32LE(dimensions, 4);
  head.writeBigInt64LE(BigInt(rows.length), 8);
  head.writeBigInt64LE(1n << 20n, 16);
  head.writeBigInt64LE(1n << 20n, 24);
  head[32] = 1;
  head.writeInt32LE(metric, 33);
  head.writeBigUInt64LE(BigInt(rows.length * dimensions), 37 + argument);
  return Buffer.concat([head, floats(rows)]);
}
