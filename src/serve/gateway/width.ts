/**
 * How many requests an instance is given at once. Ollama works on OLLAMA_NUM_PARALLEL at a time and lets the others wait
 * where nobody can reorder them; and it tells that number to nobody. So it is seen from the answers: while one was being
 * written, others that had been sent before its first byte got none. Pure.
 */

/** What is known of one instance. */
export interface Width {
  /** It is given at most so many. */
  readonly now: number;
  readonly most: number;
}

export const startWidth = (most: number): Width => ({ now: most, most });

/** An answer begins. @param writing answers that are being written now, this one too */
export const onFirstByte = ({ now, most }: Width, writing: number): Width => ({
  now: writing >= now ? Math.min(most, 2 * now) : now,
  most,
});

/**
 * An answer is finished.
 *
 * @param writing answers that were being written, this one too
 * @param passedOver requests that were there before its first byte, and have got none yet
 */
export const onLastByte = ({ now, most }: Width, writing: number, passedOver: number): Width => ({
  // One more than it works on, so that the next is there when it is done.
  now: passedOver > 0 ? Math.min(now, writing + 1) : now,
  most,
});
