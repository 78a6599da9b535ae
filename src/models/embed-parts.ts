/** Texts through an embedder that fails a whole request because of one of them: finds that one. */
import { codeOf, messageOf, RagError } from '../errors.ts';
import type { ErrorCode } from '../errors.ts';
import { setbackOf } from './ollama-errors.ts';
import { noSetbacks } from './patience.ts';
import type { Tally } from './patience.ts';

/** Texts of one request. */
export interface Part<Text> {
  readonly texts: readonly Text[];
  /** Setbacks that these texts have met before. */
  readonly tally: Tally;
}

export interface Embedder<Text> {
  /** One vector for each text. */
  readonly ask: (part: Part<Text>) => Promise<Float32Array[]>;
  /** The same text with a space at its end, and a text that nothing is wrong with. */
  readonly padded: (text: Text) => Text;
  readonly canary: Text;
}

/** Position of the text that is to blame, in the request's list; undefined when no single text is. */
export function culpritOf(error: unknown): number | undefined {
  const index: unknown =
    typeof error === 'object' && error !== null && 'index' in error ? error.index : undefined;
  return typeof index === 'number' ? index : undefined;
}

/**
 * @param from where the first of the texts stands in the caller's list
 * @throws what `ask` throws; of a single text with its position in `index`
 */
export const embedParts = <Text>(
  embedder: Embedder<Text>,
  texts: readonly Text[],
  from = 0,
): Promise<Float32Array[]> => embedFrom(embedder, { texts, tally: noSetbacks }, from);

async function embedFrom<Text>(
  embedder: Embedder<Text>,
  part: Part<Text>,
  from: number,
): Promise<Float32Array[]> {
  try {
    return await embedder.ask(part);
  } catch (error) {
    if (!isBlamable(error)) throw error;
    if (part.texts.length === 1) return embedSuspect(embedder, part, { from, error });
    const died = setbackOf(error) === 'died';
    // These texts have ended a server before: one more time is enough.
    const tally = died ? { ...noSetbacks, died: 1 } : noSetbacks;
    const vectors: Float32Array[] = [];
    for (const { at, texts } of split(part.texts, died ? 1 : Math.ceil(part.texts.length / 2)))
      vectors.push(...(await embedFrom(embedder, { texts, tally }, from + at)));
    return vectors;
  }
}

/**
 * By halves, where a refusal costs nothing. One by one, where it costs a server: a hang takes minutes to be found,
 * and halves of 64 texts would run into it six times.
 */
const split = <Text>(texts: readonly Text[], size: number): { at: number; texts: readonly Text[] }[] =>
  Array.from({ length: Math.ceil(texts.length / size) }, (_, part) => ({
    at: part * size,
    texts: texts.slice(part * size, (part + 1) * size),
  }));

const ofTexts: readonly (ErrorCode | undefined)[] = ['bad-vector', 'too-long', 'model-refused'];

/** Whether one text of several can be the reason. A missing model is nobody's fault: its error has a hint. */
const isBlamable = (error: unknown): boolean =>
  setbackOf(error) === 'died' ||
  (ofTexts.includes(codeOf(error)) && !(error instanceof RagError && error.hint));

/** The last chances of a single text, before it is named as the culprit. */
async function embedSuspect<Text>(
  { ask, padded, canary }: Embedder<Text>,
  part: Part<Text>,
  { from, error }: { readonly from: number; readonly error: unknown },
): Promise<Float32Array[]> {
  // Not a number for a text, and a fine vector for the same text with a space: seen with several encoders.
  if (codeOf(error) === 'bad-vector') {
    return ask({ ...part, texts: part.texts.map(padded) }).catch((again: unknown) => {
      throw culprit(from, again);
    });
  }
  // A server that fails every text must not make every document look damaged: then its own error is thrown.
  if (codeOf(error) !== 'too-long') await ask({ texts: [canary], tally: { ...noSetbacks, died: 1 } });
  throw culprit(from, error);
}

function culprit(index: number, cause: unknown): RagError {
  const code = setbackOf(cause) === undefined ? (codeOf(cause) ?? 'bug') : 'model-refused';
  return Object.assign(new RagError(code, `Cannot embed text ${index}: ${messageOf(cause)}`, { cause }), {
    index,
  });
}
