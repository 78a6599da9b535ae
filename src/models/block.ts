import { RagError } from '../errors.ts';

export type Metric = 'cosine' | 'dot' | 'l2';

export interface WantedBlock {
  readonly count: number;
  readonly dimensions: number;
  /** `cosine`: the vectors are brought to length 1; else their length means something and stays. */
  readonly metric: Metric;
  /** Half floats end at 65,504: a number above it would be stored as infinity. */
  readonly type: 'f16' | 'f32';
}

const largestHalf = 65_504;

/**
 * The vectors of an answer `{dimensions, vectors}`: base64 of little-endian single floats, one vector after the other.
 *
 * @throws bad-vector
 */
export function readBlock(
  { dimensions, vectors }: Readonly<Record<string, unknown>>,
  wanted: WantedBlock,
): Float32Array[] {
  if (dimensions !== wanted.dimensions)
    throw badVector(`it has ${String(dimensions)} dimensions`, `${wanted.dimensions} are wanted`);
  const bytes = Buffer.from(typeof vectors === 'string' ? vectors : '', 'base64');
  const bytesOfOne = wanted.dimensions * Float32Array.BYTES_PER_ELEMENT;
  if (bytes.length !== wanted.count * bytesOfOne)
    throw badVector(`${bytes.length / bytesOfOne} vectors came`, `${wanted.count} are wanted`);
  // Copied: a small buffer is a part of a shared one, and need not begin where a float may.
  const numbers = new Float32Array(new Uint8Array(bytes).buffer);
  return Array.from({ length: wanted.count }, (_, at) =>
    checked(numbers.slice(at * wanted.dimensions, (at + 1) * wanted.dimensions), wanted),
  );
}

function checked(vector: Float32Array, { metric, type }: WantedBlock): Float32Array {
  let sum = 0;
  let largest = 0;
  for (const value of vector) {
    sum += value * value;
    largest = Math.max(largest, Math.abs(value));
  }
  if (!Number.isFinite(sum)) throw badVector('it is not finite', 'numbers are wanted');
  if (metric === 'cosine') {
    if (sum === 0) throw badVector('its length is 0', 'a direction is wanted');
    const length = Math.sqrt(sum);
    return vector.map((value) => value / length);
  }
  if (type === 'f16' && largest > largestHalf)
    throw badVector(
      `one of its numbers is ${largest.toPrecision(4)}`,
      `at most ${largestHalf} are wanted, or RAG_VECTOR_TYPE=f32`,
    );
  return vector;
}

const badVector = (is: string, wanted: string): RagError =>
  new RagError('bad-vector', `Cannot use the vector of a text: ${is}, ${wanted}`);
