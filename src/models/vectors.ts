import { RagError } from '../errors.ts';
import { unfinished } from './ollama-errors.ts';

export interface WantedVectors {
  readonly count: number;
  /** Null: any, but the same for all. */
  readonly dimensions: number | null;
}

/** Model servers normalise in single precision and print decimals; what is off by more is not a unit vector. */
const normTolerance = 0.01;

/**
 * The vectors of an answer of `/api/embed`, checked and of norm 1.
 *
 * @throws bad-vector
 */
export function readVectors(answer: unknown, wanted: WantedVectors): Float32Array[] {
  const rows: unknown =
    typeof answer === 'object' && answer !== null && 'embeddings' in answer ? answer.embeddings : null;
  if (!Array.isArray(rows)) throw badVector('the answer holds no embeddings', `${wanted.count} are wanted`);
  if (rows.length !== wanted.count) throw wrongCount(rows.length, wanted);
  const size = wanted.dimensions ?? (Array.isArray(rows[0]) ? rows[0].length : 0);
  return rows.map((row: unknown) => unitVector(row, size));
}

const wrongCount = (came: number, wanted: WantedVectors): RagError =>
  badVector(`${came} vectors came`, `${wanted.count} are wanted`);

/**
 * The same from the pieces of the answer, one vector at a time as it comes: 64 of 4,096 numbers are 3.4 MB, which
 * in one go keep the event loop for 22 ms. A thread for it would have to be handed the bytes.
 *
 * @throws bad-vector, model-unavailable when the answer breaks off, and what the pieces throw
 */
export async function decodeVectors(
  pieces: AsyncIterable<string>,
  wanted: WantedVectors,
): Promise<Float32Array[]> {
  const vectors: Float32Array[] = [];
  const take = (text: string): void => {
    const row = parseJson(text);
    const size = wanted.dimensions ?? vectors[0]?.length ?? (Array.isArray(row) ? row.length : 0);
    vectors.push(unitVector(row, size));
  };
  let scan = scanBegin;
  for await (const piece of pieces) scan = scanned({ ...scan, text: scan.text + piece }, take);
  if (scan.place === 'before') return readVectors(parseJson(scan.text), wanted);
  if (scan.place === 'inside') throw brokenOff();
  if (vectors.length !== wanted.count) throw wrongCount(vectors.length, wanted);
  return vectors;
}

/** Where in the answer the scan is, by the list of vectors, and the text that is not yet used. */
export interface Scan {
  readonly place: 'before' | 'inside' | 'after';
  readonly text: string;
}

export const scanBegin: Scan = { place: 'before', text: '' };

/** In a string of JSON the second quote would have a backslash before it. */
const listBegins = /"embeddings"\s*:\s*\[/v;

/** Takes the texts of the rows that are whole. A row holds no bracket: numbers, and null in the place of one. */
export function scanned({ place, text }: Scan, take: (row: string) => void): Scan {
  if (place === 'after') return { place, text };
  let at = 0;
  if (place === 'before') {
    const begins = listBegins.exec(text);
    if (begins === null) return { place, text };
    at = begins.index + begins[0].length;
  }
  for (;;) {
    const close = text.indexOf(']', at);
    if (close === -1) return { place: 'inside', text: text.slice(at) };
    const open = text.indexOf('[', at);
    if (open === -1 || open > close) return { place: 'after', text: text.slice(close) };
    take(text.slice(open, close + 1));
    at = close + 1;
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw brokenOff(cause);
  }
}

const brokenOff = (cause?: unknown): RagError =>
  unfinished('the answer broke off in the middle of its JSON', cause);

function unitVector(row: unknown, size: number): Float32Array {
  if (!Array.isArray(row) || row.length !== size || size === 0) {
    throw badVector(
      `its size is ${Array.isArray(row) ? row.length : 'none'}`,
      `${size} dimensions are wanted`,
    );
  }
  // One loop: four walks by array methods cost a tenth of an ingest's CPU.
  const vector = new Float32Array(size);
  let sum = 0;
  for (let at = 0; at < size; at += 1) {
    const value: unknown = row[at];
    // JSON has no NaN: servers that do not refuse one write null, which would silently become 0 here.
    if (typeof value !== 'number' || !Number.isFinite(value))
      throw badVector('it is not finite', 'numbers are wanted');
    vector[at] = value;
    sum += value * value;
  }
  const norm = Math.sqrt(sum);
  if (!(Math.abs(norm - 1) <= normTolerance))
    throw badVector(`its norm is ${norm.toPrecision(3)}`, '1 is wanted');
  for (let at = 0; at < size; at += 1) vector[at] = (vector[at] ?? 0) / norm;
  return vector;
}

const badVector = (is: string, wanted: string): RagError =>
  new RagError('bad-vector', `Cannot use the vector of a text: ${is}, ${wanted}`);
