import {
  makeData,
  RecordBatch,
  Struct,
  Table,
  vectorFromArray,
  type Data,
  type FixedSizeList,
  type Schema,
} from 'apache-arrow';
import { RagError } from '../../errors.ts';
import type { Passage } from '../../work.ts';
import { digestBits, textHash } from '../digest.ts';
import { largestHalf, toHalf } from './half.ts';
import type { PackedRows } from '../wire/protocol.ts';
import { chunkSchema, failureSchema, removalSchema } from '../schema.ts';
import type { EncoderRecord, FailureRow } from '../types.ts';

/** Chunks as an Arrow table. @throws bad-vector: the last gate before the disk */
export function chunkTable(packed: PackedRows, encoder: EncoderRecord, version: number): Table {
  assertVectors(packed, encoder);
  const schema = chunkSchema(encoder);
  const columns = packed.rows.map((row) => ({
    chunk_id: row.chunk,
    document: row.document,
    id: row.id,
    hash: row.hash,
    ordinal: row.ordinal,
    chunks: row.of,
    version: BigInt(version),
    title: row.title,
    file: row.file,
    page: row.page ?? 0,
    page_end: row.pageEnd ?? 0,
    start_at: row.start,
    end_at: row.end,
    headings: JSON.stringify(row.headings),
    contents: `${row.title}\n${row.text}`,
    words: row.words,
    length: row.length,
    language: row.language,
    labels: row.labels,
    text_digest: BigInt(digestBits(textHash(row.text))),
  }));
  const vectors = encoder.dimensions === 0 ? undefined : vectorData(schema, packed, encoder);
  return tableOf(schema, columns, vectors);
}

export const failureTable = (rows: readonly FailureRow[], version: number): Table =>
  tableOf(
    failureSchema,
    rows.map(({ document, hash, file, state, reason }) => ({
      document,
      hash,
      file,
      state,
      reason,
      version: BigInt(version),
    })),
  );

export const removalTable = (documents: readonly string[], version: number): Table =>
  tableOf(
    removalSchema,
    documents.map((document) => ({ document, version: BigInt(version) })),
  );

function assertVectors({ rows, vectors }: PackedRows, { dimensions, type }: EncoderRecord): void {
  if (vectors.length !== rows.length * dimensions) {
    const has = vectors.length / Math.max(1, rows.length);
    throw new RagError(
      'bad-vector',
      `Cannot store vectors: they have ${has} dimensions, ${dimensions} are wanted`,
    );
  }
  const largest = type === 'f16' ? largestHalf : Number.MAX_VALUE;
  // A loop: findIndex takes five times as long, 5 ms for 1,000 vectors of 1,024.
  let at = 0;
  while (at < vectors.length && Math.abs(vectors[at] ?? 0) <= largest) at += 1;
  if (at === vectors.length) return;
  const row = rows[Math.floor(at / dimensions)];
  throw new RagError(
    'bad-vector',
    `Cannot store a vector of ${row?.document ?? '?'}: a number of it is ${vectors[at]}, one that ${type} can hold is wanted`,
  );
}

/** One record batch, so that it becomes one commit. Columns by name; `vector`, where there is one, comes last. */
function tableOf(
  schema: Schema,
  rows: readonly Record<string, unknown>[],
  vector?: Data<FixedSizeList>,
): Table {
  const scalars = schema.fields.slice(0, vector === undefined ? undefined : -1);
  const children: Data[] = scalars.map(({ name, type }) => {
    const values: readonly unknown[] = rows.map((row) => row[name]);
    return vectorFromArray(values, type).data[0] as Data;
  });
  if (vector !== undefined) children.push(vector);
  const struct = makeData({ type: new Struct(schema.fields), length: rows.length, nullCount: 0, children });
  return new Table(schema, [new RecordBatch(schema, struct)]);
}

function vectorData(
  schema: Schema,
  { rows, vectors }: PackedRows,
  encoder: EncoderRecord,
): Data<FixedSizeList> {
  const type = schema.fields.at(-1)?.type as FixedSizeList;
  const data = encoder.type === 'f16' ? toHalf(vectors) : vectors;
  const child = makeData({
    type: type.children[0]?.type,
    length: vectors.length,
    nullCount: 0,
    data,
  } as never);
  return makeData({ type, length: rows.length, nullCount: 0, child });
}

/** A row of a query's answer: values by column. */
export type StoredRow = Readonly<Record<string, unknown>>;

export function passageOf(row: StoredRow): Passage {
  const title = String(row['title']);
  return {
    chunk: String(row['chunk_id']),
    document: String(row['document']),
    id: String(row['id']),
    title,
    file: String(row['file']),
    page: Number(row['page']) || null,
    pageEnd: Number(row['page_end']) || null,
    start: Number(row['start_at']),
    end: Number(row['end_at']),
    headings: JSON.parse(String(row['headings'])) as string[],
    text: String(row['contents']).slice(title.length + 1),
  };
}
