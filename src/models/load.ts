/** How much work a request is, before it is done: a measure to compare servers by, not a time. */

/** A model reads a prompt in batches and writes token by token: one that it writes costs about as much as ten that it reads. */
const readBytesPerToken = 4;
const costOfWriting = 10;

/** What an answer is taken for that nobody bounded. */
const usualTokens = 512;

/**
 * @param bytes of the request's body
 * @param answerTokens that it may write at most; 0 where nothing is written, negative or undefined: no bound
 * @returns in bytes that are read
 */
export function requestWork(bytes: number, answerTokens: number | undefined): number {
  const tokens =
    answerTokens === undefined || answerTokens < 0 ? usualTokens : Math.min(answerTokens, 4 * usualTokens);
  return bytes + tokens * readBytesPerToken * costOfWriting;
}
