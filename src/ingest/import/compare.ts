/** Whether vectors are those of the encoder in force: some passages are encoded again. */
import { RagError } from '../../errors.ts';
import type { Embed } from '../../models/types.ts';
import type { BareRow } from '../chunk-rows.ts';
import { asStored } from './import.ts';
import { fewRows, type NumberedSlice } from './corpus-rows.ts';
import { rowsOf, type Entry, type Part } from './parts.ts';

export interface Comparison {
  readonly compared: number;
  /** What of a passage was encoded. */
  readonly form: string;
  /** The least of all likenesses: the cosine, where the vectors are equally long. */
  readonly lowest: number;
}

interface Sample {
  readonly row: BareRow;
  readonly vector: Float32Array;
}

const samples = 100;
/** Rounding to half floats and another order of summing cost a thousandth; another prefix costs several hundredths. */
const lowestLikeness = 0.99;

/** Encoders cut long passages, each elsewhere (at 180 to 512 tokens): short ones are compared. */
const shortCharacters = 600;
const lookedAt = 20;

type Form = readonly [name: string, text: (row: BareRow) => string];

/** What retrievers put together of a passage; the first is what an ingest encodes. */
const forms: readonly [Form, ...Form[]] = [
  ['text', ({ text }) => text],
  ['title, line feed, text', ({ title, text }) => `${title}\n${text}`],
  ['"title", line feed, text', ({ title, text }) => `"${title}"\n${text}`],
  ['title. text', ({ title, text }) => `${title}. ${text}`],
  ['title text', ({ title, text }) => `${title} ${text}`],
];
/** So many passages are encoded in every form. */
const tried = 8;

/** @throws index-mismatch naming the passages that differ most; what the embedder throws */
export async function compare(
  parts: readonly Part[],
  embed: Embed,
  signal: AbortSignal,
): Promise<Comparison> {
  const chosen = await chooseSamples(parts, signal);
  if (chosen.length === 0) throw nothingToCompare(parts);
  const likenesses = async (some: readonly Sample[], form: Form): Promise<number[]> => {
    const texts = some.map(({ row }) => form[1](row));
    const titles = form === forms[0] ? { titles: some.map(({ row }) => row.title) } : {};
    const vectors = await embed({ texts, ...titles, kind: 'passage', signal });
    return some.map(({ vector }, at) => likeness(vector, vectors[at] ?? new Float32Array()));
  };
  let best: { readonly form: Form; readonly mean: number } | undefined;
  for (const form of forms) {
    const found = await likenesses(chosen.slice(0, tried), form);
    const mean = found.reduce((sum, each) => sum + each, 0) / Math.max(1, found.length);
    if (best === undefined || mean > best.mean) best = { form, mean };
    if (Math.min(...found) >= lowestLikeness) break;
  }
  const form = best?.form ?? forms[0];
  const found = await likenesses(chosen, form);
  const lowest = Math.min(...found);
  if (!(lowest >= lowestLikeness)) throw unlike(chosen, found, form);
  return { compared: chosen.length, form: form[0], lowest };
}

/** 2ab / (aa + bb): the cosine of vectors of one length, less where the lengths differ. */
function likeness(a: Float32Array, b: Float32Array): number {
  let [ab, aa, bb] = [0, 0, 0];
  for (let at = 0; at < a.length; at++) {
    const [x, y] = [a[at] ?? 0, b[at] ?? 0];
    [ab, aa, bb] = [ab + x * y, aa + x * x, bb + y * y];
  }
  return a.length === b.length ? (2 * ab) / (aa + bb) : 0;
}

/** Spread over all rows, each the most fit of some that follow each other. */
async function chooseSamples(parts: readonly Part[], signal: AbortSignal): Promise<Sample[]> {
  const total = parts.reduce((sum, part) => sum + rowsOf(part), 0);
  const count = Math.min(samples, total);
  const wanted = Array.from({ length: count }, (_, n) => Math.floor(((n + 0.5) * total) / count));
  const around = Math.max(1, Math.min(lookedAt, Math.floor(total / count)));
  const chosen: Sample[] = [];
  let before = 0;
  for (const part of parts) {
    for (const slice of part.slices) {
      const from = before + slice.first;
      for (const row of wanted.filter((each) => each >= from && each < from + slice.rows)) {
        const few = await fewRows(part.path, slice, row - before, around);
        const sample = await sampleOf(part, few, signal);
        if (sample !== undefined) chosen.push(sample);
      }
    }
    before += rowsOf(part);
  }
  return chosen;
}

async function sampleOf(part: Part, few: NumberedSlice, signal: AbortSignal): Promise<Sample | undefined> {
  const rows = (await part.read(few, signal)).map(rowOfEntry);
  const at = shortest(rows);
  const row = rows[at];
  if (row === undefined) return undefined;
  const vector = await part.vectors.at(few.first + at);
  return asStored(vector, 'cosine') === undefined ? undefined : { row, vector };
}

const rowOfEntry = (entry: Entry): BareRow | undefined =>
  entry !== 'repeated' && 'row' in entry ? entry.row : undefined;

/** The first that is short, else the shortest. */
function shortest(rows: readonly (BareRow | undefined)[]): number {
  const lengths = rows.map((row) => row?.text.length ?? Infinity);
  const short = lengths.findIndex((length) => length <= shortCharacters);
  return short < 0 ? lengths.indexOf(Math.min(...lengths)) : short;
}

const named = 3;

function unlike(chosen: readonly Sample[], found: readonly number[], [form]: Form): RagError {
  const worst = [...found.entries()].sort(([, a], [, b]) => (a >= b ? 1 : -1));
  const below = worst.filter(([, each]) => !(each >= lowestLikeness)).length;
  const names = worst
    .slice(0, named)
    .map(([at, each]) => `${each.toFixed(3)} of ${chosen[at]?.row.document ?? '?'}`)
    .join(', ');
  return new RagError(
    'index-mismatch',
    `Cannot import the vectors: of ${chosen.length} passages encoded again (${form}) ${below} are like theirs by less than ${lowestLikeness}: ${names}`,
    {
      hint: 'usually another model, prefix or pooling, or rows in another order: set the encoder that made them (RAG_RETRIEVER, OLLAMA_EMBED_MODEL), or let this one encode them: node dist/supervisor.js ingest --here CORPUS',
    },
  );
}

const nothingToCompare = ([part]: readonly Part[]): RagError =>
  new RagError(
    'bad-document',
    `Cannot import ${part?.path ?? 'nothing'}: no row of it has a text and a vector, at least one is wanted`,
  );
