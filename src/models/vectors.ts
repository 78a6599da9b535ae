import { RagError } from '../errors.ts';

/** Model servers normalise in single precision and print decimals; what is off by more is not a unit vector. */
const normTolerance = 0.01;

/**
 * The vectors of an answer of `/api/embed`, checked and of norm 1.
 *
 * @param wanted.dimensions null: any, but the same for all
 * @throws bad-vector
 */
export function readVectors(
  answer: unknown,
  wanted: { readonly count: number; readonly dimensions: number | null },
): Float32Array[] {
  const rows: unknown =
    typeof answer === 'object' && answer !== null && 'embeddings' in answer ? answer.embeddings : null;
  if (!Array.isArray(rows)) throw badVector('the answer holds no embeddings', `${wanted.count} are wanted`);
  if (rows.length !== wanted.count)
    throw badVector(`${rows.length} vectors came`, `${wanted.count} are wanted`);
  const size = wanted.dimensions ?? (Array.isArray(rows[0]) ? rows[0].length : 0);
  return rows.map((row: unknown) => unitVector(row, size));
}

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
