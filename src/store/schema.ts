import {
  Field,
  FixedSizeList,
  Float16,
  Float32,
  Int32,
  Int64,
  List,
  Schema,
  Utf8,
  type DataType,
} from 'apache-arrow';
import type { EncoderRecord } from './types.ts';

/**
 * The columns on disk. Every one is non-null: with a primary key on a nullable column LanceDB 0.37 accepts the
 * table and then fails every read of it, and objects without a schema are inferred nullable.
 */
const column = (name: string, type: DataType): Field => new Field(name, type, false);

/**
 * `document` is the document's key, `id` what is shown of it (see work.ts).
 * `contents` is the title, a line feed and the text. `words` is what BM25 sees of it, `length` how many words these
 * are. `page` and `page_end` are 0 where there are no pages. `version` orders the versions of a
 * document; that of its ordinal 0 counts. `headings` is JSON. `text_digest` finds rows of equal texts.
 */
export const chunkSchema = (encoder: Pick<EncoderRecord, 'dimensions' | 'type'>): Schema =>
  new Schema([
    column('chunk_id', new Utf8()),
    column('document', new Utf8()),
    column('id', new Utf8()),
    column('hash', new Utf8()),
    column('ordinal', new Int32()),
    column('chunks', new Int32()),
    column('version', new Int64()),
    column('title', new Utf8()),
    column('file', new Utf8()),
    column('page', new Int32()),
    column('page_end', new Int32()),
    column('start_at', new Int32()),
    column('end_at', new Int32()),
    column('headings', new Utf8()),
    column('contents', new Utf8()),
    column('words', new Utf8()),
    column('length', new Int32()),
    column('language', new Utf8()),
    column('labels', new List(column('item', new Utf8()))),
    column('text_digest', new Int64()),
    ...(encoder.dimensions === 0 ? [] : [vectorColumn(encoder)]),
  ]);

const vectorColumn = ({ dimensions, type }: Pick<EncoderRecord, 'dimensions' | 'type'>): Field =>
  column(
    'vector',
    new FixedSizeList(dimensions, column('item', type === 'f16' ? new Float16() : new Float32())),
  );

export const failureSchema: Schema = new Schema([
  column('document', new Utf8()),
  column('hash', new Utf8()),
  column('file', new Utf8()),
  column('state', new Utf8()),
  column('reason', new Utf8()),
  column('version', new Int64()),
]);

/** Documents that were removed. Everything of them that is older is not there any more. */
export const removalSchema: Schema = new Schema([
  column('document', new Utf8()),
  column('version', new Int64()),
]);

/** What a ranking needs; document and hash decide whether a row may be shown. */
export const rankColumns = ['chunk_id', 'document', 'hash', 'text_digest'] as const;

/** What of a row is kept in memory, beside its vector and its words. */
export const residentColumns = [...rankColumns, 'page', 'page_end', 'start_at', 'end_at'] as const;

/** What a passage is shown with, and `hash`. */
export const passageColumns = [
  'chunk_id',
  'document',
  'id',
  'hash',
  'title',
  'file',
  'page',
  'page_end',
  'start_at',
  'end_at',
  'headings',
  'contents',
] as const;
