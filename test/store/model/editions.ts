/** The documents of the model: three, with three contents each, of which a few chunks are made. */
import type { PackedRows } from '../../../src/store/wire/protocol.ts';
import type { ChunkRow } from '../../../src/store/types.ts';
import { encoder, rowsOf } from '../samples.ts';
import type { State } from './truth.ts';

/** One to four. */
const chunksOf = (document: string, edition: number): number =>
  1 + (((document.codePointAt(0) ?? 0) + edition * 2) % 4);

export const editionName = (document: string, edition: number): State => `${document}${edition}`;

/** The first chunk comes last. */
export function rowsOfEdition(document: string, edition: number): ChunkRow[] {
  const texts = Array.from(
    { length: chunksOf(document, edition) },
    (_, at) => `common ${document} ${edition} ${at}`,
  );
  return rowsOf({ key: document, edition: String(edition), texts });
}

export function packed(rows: readonly ChunkRow[]): PackedRows {
  const size = encoder.dimensions;
  const vectors = new Float32Array(rows.length * size);
  rows.forEach(({ vector }, at) => vectors.set(vector, at * size));
  return { rows: rows.map(({ vector: _vector, ...row }) => row), vectors };
}

export const documents: readonly string[] = ['a', 'b', 'c'];
export const editions = 3;

/** Which edition a chunk is of, and the chunks of each. */
export const editionOfChunk = new Map<string, { document: string; edition: State }>();
export const chunksOfEdition = new Map<State, readonly string[]>();
export const editionOfHash = new Map<string, State>();
for (const document of documents)
  for (let edition = 0; edition < editions; edition++) {
    const rows = rowsOfEdition(document, edition);
    const name = editionName(document, edition);
    chunksOfEdition.set(
      name,
      rows.map(({ chunk }) => chunk),
    );
    for (const { chunk, hash } of rows) {
      editionOfChunk.set(chunk, { document, edition: name });
      editionOfHash.set(hash, name);
    }
  }
