import { createHash } from 'node:crypto';
import { analyse } from '../../src/words/analyse.ts';
import type { ChunkRow, EncoderRecord } from '../../src/store/types.ts';

export const encoder: EncoderRecord = {
  model: 'tiny',
  digest: 'sha256:1',
  dimensions: 8,
  type: 'f16',
  metric: 'cosine',
  chunker: 'structure-1:512/64',
};

const sha = (text: string): string => createHash('sha256').update(text).digest('hex');

/** A vector of length 1 that depends on the seed only. */
export function vectorOf(seed: string, dimensions = encoder.dimensions): Float32Array {
  const bytes = Array.from(
    { length: dimensions },
    (_, at) => createHash('sha1').update(`${seed} ${at}`).digest()[0] ?? 0,
  );
  const values = bytes.map((byte) => byte - 127.5);
  const length = Math.hypot(...values);
  return Float32Array.from(values, (value) => value / length);
}

export interface SampleDocument {
  readonly key: string;
  /** Stands for the content: another edition has another hash. */
  readonly edition?: string;
  readonly title?: string;
  /** English unless it is given. */
  readonly language?: string;
  readonly labels?: readonly string[];
  readonly texts: readonly string[];
}

/** The rows of a document, ordinal 0 last, as an ingest commits them. */
export function rowsOf({
  key,
  edition = 'a',
  title = key,
  language = 'en',
  labels = [],
  texts,
}: SampleDocument): ChunkRow[] {
  const hash = sha(`${key} ${edition}`);
  const rows = texts.map((text, ordinal): ChunkRow => ({
    chunk: sha(`${hash} ${ordinal}`).slice(0, 32),
    document: key,
    id: `id of ${key}`,
    hash,
    ordinal,
    of: texts.length,
    title,
    file: `/corpus/${key}`,
    page: ordinal === 0 ? null : ordinal,
    pageEnd: ordinal === 0 ? null : ordinal,
    start: ordinal * 100,
    end: ordinal * 100 + text.length,
    headings: ['Part', `Section ${ordinal}`],
    text,
    ...analyse(`${title}\n${text}`, language),
    language,
    labels,
    vector: vectorOf(text),
  }));
  return [...rows.slice(1), ...rows.slice(0, 1)];
}

export const hashOf = (document: SampleDocument): string => rowsOf(document)[0]?.hash ?? '';
