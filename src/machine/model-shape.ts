import { open } from 'node:fs/promises';
import { codeOf } from '../errors.ts';
import { type GgufHeader, readGguf } from './gguf.ts';
import type { StoredModel } from './model-store.ts';

/** What of a model's header decides how much memory its context takes. */
export interface ModelShape {
  /** Of all files that are loaded. */
  readonly weightsBytes: number;
  readonly layers: number;
  /** Key-value heads of each layer; one number when they are all alike. */
  readonly kvHeads: number;
  /** Of a key and a value, in numbers. */
  readonly keyLength: number;
  readonly valueLength: number;
}

/** What of a model decides how much memory it takes; undefined where its files do not tell. */
export async function readShape(model: StoredModel): Promise<ModelShape | undefined> {
  for (const { file } of model.blobs) {
    const header = (await isGguf(file)) ? await headerOf(file) : undefined;
    const shape = header && shapeOf(header, model.bytes);
    if (shape !== undefined) return shape; // a projector of pictures and an adapter have no layers of their own
  }
  return undefined;
}

async function isGguf(file: string): Promise<boolean> {
  await using handle = await open(file, 'r');
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(4), 0, 4, 0);
  return bytesRead === 4 && buffer.toString('latin1') === 'GGUF';
}

/** Of arrays only the heads are wanted: some models have another number in each layer. */
const headerOf = (file: string): Promise<GgufHeader | undefined> =>
  readGguf(file, (key) => key.endsWith('.attention.head_count_kv')).catch((error: unknown) => {
    if (codeOf(error) === 'bad-document') return undefined;
    throw error;
  });

export function shapeOf(
  { metadata }: Pick<GgufHeader, 'metadata'>,
  weightsBytes: number,
): ModelShape | undefined {
  const family = metadata.get('general.architecture');
  const of = (key: string): number | undefined => {
    const value = metadata.get(`${String(family)}.${key}`);
    if (Array.isArray(value))
      return value.reduce((all: number, each) => all + Number(each), 0) / value.length;
    return typeof value === 'number' || typeof value === 'bigint' ? Number(value) : undefined;
  };
  const [layers, heads, width] = [of('block_count'), of('attention.head_count'), of('embedding_length')];
  if (layers === undefined || heads === undefined || width === undefined) return undefined;
  return {
    weightsBytes,
    layers,
    kvHeads: of('attention.head_count_kv') ?? heads,
    // Where the header says nothing of them a head is its share of the width.
    keyLength: of('attention.key_length') ?? width / heads,
    valueLength: of('attention.value_length') ?? width / heads,
  };
}
