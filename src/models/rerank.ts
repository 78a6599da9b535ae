/** Scores from children that speak frames: the Python ones of a slice, or the one without a model. */
import { RagError } from '../errors.ts';
import { share } from './rerank-share.ts';
import type { Sidecars } from './sidecar.ts';
import type { Rerank } from './types.ts';

/**
 * A list is shared out over the children that are ready. One that is being started again degrades an answer instead
 * of delaying it, so nothing waits for it.
 */
export function makeRerank(sidecars: Sidecars): Rerank {
  return async ({ query, passages, signal }) => {
    const sizes = passages.map((passage) => query.length + passage.length);
    const scores = passages.map(() => Number.NaN);
    const parts = share(sizes, sidecars.loads()).map(async ({ lane, places, weight }) => {
      const frame = { op: 'rerank', query, passages: places.map((place) => passages[place]) };
      const reply = await sidecars.ask({ frame, weight, ifNone: 'fail', signal }, lane);
      for (const [at, score] of readScores(reply['scores'], places.length).entries())
        scores[places[at] ?? -1] = score;
    });
    await Promise.all(parts);
    return scores;
  };
}

function readScores(value: unknown, count: number): number[] {
  const scores = Array.isArray(value) ? (value as unknown[]) : [];
  if (scores.length !== count) throw unusable(`${scores.length} scores came for ${count} passages`);
  return scores.map((score) => {
    if (typeof score === 'number' && score >= 0 && score <= 1) return score;
    throw unusable(`a score is ${String(score)}, not in 0-1`);
  });
}

const unusable = (is: string): RagError =>
  new RagError('model-unavailable', `Cannot rerank: ${is}, one score per passage is wanted`);
