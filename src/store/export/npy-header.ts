/** The head of a `.npy` file of version 1: float32, rows one after the other. NumPy wants it to end on 64 bytes. Pure. */
export function npyHeader(rows: number, dimensions: number): Buffer {
  const said = `{'descr': '<f4', 'fortran_order': False, 'shape': (${rows}, ${dimensions}), }`;
  const before = 10;
  const length = Math.ceil((before + said.length + 1) / 64) * 64 - before;
  const head = Buffer.from(`\x93NUMPY\x01\x00\x00\x00${said.padEnd(length - 1)}\n`, 'latin1');
  head.writeUInt16LE(length, before - 2);
  return head;
}
