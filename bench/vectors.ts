/**
 * Vectors as encoders make them: 2,000 subjects, some of them far more frequent than others, in 96 directions that are
 * spread over all dimensions, around a common mean, and a little noise. Without such a structure every passage is as
 * far from a question as every other, and nobody's index finds the nearest.
 */
import { makeRandom } from './corpus.ts';

const [subjects, directions, spread] = [2_000, 96, 12];

export type MakeVector = (seed: number) => Float32Array;

/** Of length 1; the same seed gives the same vector. */
export function makeVectors(dimensions: number): MakeVector {
  const random = makeRandom(42);
  const some = (count: number, of: () => number): Float32Array => Float32Array.from({ length: count }, of);
  const weights = some(dimensions * spread, () => 2 * random() - 1);
  const places = Uint8Array.from({ length: dimensions * spread }, () => Math.floor(directions * random()));
  const centres = some(subjects * directions, () => random() + random() + random() - 1.5);
  const mean = some(dimensions, () => random() - 0.5);
  return (seed) => {
    const own = makeRandom(seed * 7 + 1);
    for (let skipped = 0; skipped < 5; skipped += 1) own();
    const centre = Math.floor(subjects * own() ** 2) * directions;
    const subject = some(directions, () => 0.7 * (own() + own() + own() - 1.5));
    for (const [at, value] of subject.entries()) subject[at] = value + (centres[centre + at] ?? 0);
    const vector = new Float32Array(dimensions);
    for (let at = 0; at < dimensions; at += 1) {
      let sum = (mean[at] ?? 0) + 0.35 * (own() - 0.5);
      for (let i = at * spread; i < (at + 1) * spread; i += 1) sum += weights[i]! * subject[places[i]!]!;
      vector[at] = sum;
    }
    const length = Math.hypot(...vector);
    return vector.map((value) => value / length);
  };
}
