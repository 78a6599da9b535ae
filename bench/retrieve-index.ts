/** An index of passages about nothing, with questions whose nearest passages are known. */
import { join } from 'node:path';
import type { ChunkRow, Store } from '../src/store/types.ts';
import { analyse } from '../src/words/analyse.ts';
import { makeRandom, makeText } from './corpus.ts';
import { openInProcess, type InProcess } from './in-process.ts';
import { openScan, type Scan } from './scan.ts';
import { makeVectors, type MakeVector } from './vectors.ts';

export const dimensions = 1024;
/** Of a passage: those of Search-R1's Wikipedia have 100. */
const words = 100;
/** Of RAG_CANDIDATES. */
export const depth = 100;

export interface Question {
  readonly text: string;
  readonly vector: Float32Array;
}

export interface FilledIndex extends AsyncDisposable {
  readonly store: Store;
  readonly work: InProcess['work'];
  /** No two have the same text. @param n its number */
  readonly question: (n: number) => Question;
  /** The exact search; it knows the questions below `scanned`. */
  readonly scan: Scan;
  readonly seconds: { readonly append: number; readonly merge: number; readonly tune: number };
}

export interface Shape {
  readonly folder: string;
  readonly passages: number;
  /** How many questions the exact search knows. */
  readonly scanned: number;
}

export async function openFilled({ folder, passages, scanned }: Shape): Promise<FilledIndex> {
  const vectorOf = makeVectors(dimensions);
  const question = (n: number): Question => ({
    text: `q${n} ${makeText(makeRandom(7 * n + 1), words)
      .split(/\s+/u)
      .slice(40, 48)
      .join(' ')}`,
    vector: vectorOf(passages + n),
  });
  const numberOf = (text: string): number => Number(/^q(\d+) /u.exec(text)?.[1] ?? 0);
  const open = await openInProcess(join(folder, 'index'), dimensions, (text) =>
    vectorOf(passages + numberOf(text)),
  );
  const { store, work } = open;
  const seconds = await fill(store, passages, vectorOf);
  const matrix = joined(passages, vectorOf);
  const questions = joined(scanned, (n) => question(n).vector);
  const scan = openScan(folder, matrix, questions, dimensions);
  return {
    store,
    work,
    question,
    scan,
    seconds,
    async [Symbol.asyncDispose]() {
      await scan[Symbol.asyncDispose]();
      await open[Symbol.asyncDispose]();
    },
  };
}

function joined(count: number, vectorOf: MakeVector): Float32Array {
  const all = new Float32Array(count * dimensions);
  for (let n = 0; n < count; n += 1) all.set(vectorOf(n), n * dimensions);
  return all;
}

/** Passages in one call of the store. */
const atOnce = 1_000;

/** Appended, merged with all their indexes, and tuned. */
export async function fill(
  store: Store,
  passages: number,
  vectorOf: MakeVector,
): Promise<FilledIndex['seconds']> {
  const encoder = { model: 'none', digest: 'none', dimensions, type: 'f16', metric: 'cosine' } as const;
  await store.beginWriting({ ...encoder, chunker: 'structure-1:512/64' }, 'bench');
  const at = [performance.now()];
  for (let n = 0; n < passages; n += atOnce)
    await store.append(
      Array.from({ length: Math.min(atOnce, passages - n) }, (_, i) => makeRow(n + i, vectorOf)),
    );
  at.push(performance.now());
  await store.consolidate();
  at.push(performance.now());
  const samples = Array.from({ length: 48 }, (_, n) => vectorOf(2 * passages + n));
  await store.tune(samples, depth);
  at.push(performance.now());
  const [append = 0, merge = 0, tune = 0] = at.slice(1).map((end, i) => (end - (at[i] ?? end)) / 1000);
  return { append, merge, tune };
}

export const nameOf = (n: number): string => `passage-${n}`.padEnd(32, '0');

function makeRow(n: number, vectorOf: MakeVector): ChunkRow {
  const text = makeText(makeRandom(n + 1), words);
  const name = `passage-${n}`;
  const place = { page: null, pageEnd: null, start: 0, end: text.length, headings: [] };
  const key = { chunk: nameOf(n), document: name, id: name, title: name, file: name, hash: name };
  const told = {
    ordinal: 0,
    of: 1,
    text,
    language: 'en',
    labels: [`tenth=${n % 10}`, `hundredth=${n % 100}`],
  };
  return { ...key, ...place, ...told, ...analyse(`${name}\n${text}`, 'en'), vector: vectorOf(n) };
}
