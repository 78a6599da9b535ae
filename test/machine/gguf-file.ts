/** Writes the header of a GGUF file, as models have it; no weights. */
export type Value = number | boolean | string | bigint | readonly string[] | readonly number[];

const u32 = (value: number): Buffer => {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32LE(value);
  return buffer;
};
const u64 = (value: number | bigint): Buffer => {
  const buffer = Buffer.alloc(8);
  buffer.writeBigUInt64LE(BigInt(value));
  return buffer;
};
const f32 = (value: number): Buffer => {
  const buffer = Buffer.alloc(4);
  buffer.writeFloatLE(value);
  return buffer;
};
const text = (value: string): Buffer => Buffer.concat([u64(Buffer.byteLength(value)), Buffer.from(value)]);

function typed(value: Value): Buffer {
  if (typeof value === 'string') return Buffer.concat([u32(8), text(value)]);
  if (typeof value === 'boolean') return Buffer.concat([u32(7), Buffer.from([value ? 1 : 0])]);
  if (typeof value === 'bigint') return Buffer.concat([u32(10), u64(value)]);
  if (typeof value === 'number')
    return Number.isInteger(value)
      ? Buffer.concat([u32(4), u32(value)])
      : Buffer.concat([u32(6), f32(value)]);
  const first: unknown = value[0];
  const items = value.map((each) => (typeof each === 'string' ? text(each) : f32(each)));
  return Buffer.concat([u32(9), u32(typeof first === 'number' ? 6 : 8), u64(value.length), ...items]);
}

export const ggufHeader = (metadata: Readonly<Record<string, Value>>, version = 3): Buffer =>
  Buffer.concat([
    Buffer.from('GGUF'),
    u32(version),
    u64(0),
    u64(Object.keys(metadata).length),
    ...Object.entries(metadata).flatMap(([key, value]) => [text(key), typed(value)]),
  ]);
