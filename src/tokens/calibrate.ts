/** How far above the estimate a model's own counts are. Pure. */

/** Before anything is known: German has 1.25 tokens for an estimated one, Chinese and Russian 1.1. */
export const firstFactor = 1.25;
/** A prompt of so few tokens is mostly template. */
const leastTokens = 200;
/** Above the worst that was seen: the next text differs. */
const margin = 1.02;
/** A count beyond it is no count of this prompt. */
const most = 4;

/**
 * The factor for estimates after another prompt. It only grows: an estimate is to stay above the truth, and a server
 * that has the beginning of a prompt in its cache may count only the rest.
 *
 * @param estimated without the factor
 * @param served by the model server, of the whole prompt
 */
export function nextFactor(factor: number, estimated: number, served: number): number {
  if (estimated < leastTokens || served > most * estimated) return factor;
  return Math.max(factor, (margin * served) / estimated);
}
