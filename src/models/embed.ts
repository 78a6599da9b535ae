import { codeOf, messageOf, RagError } from '../errors.ts';
import type { ErrorCode } from '../errors.ts';
import { setbackOf } from './ollama-errors.ts';
import { embedBody } from './ollama-body.ts';
import type { OllamaHttp } from './ollama-http.ts';
import { noSetbacks, untilAnswered } from './patience.ts';
import type { Tally } from './patience.ts';
import type { Prefixes } from './prefixes.ts';
import type { Embed, FrozenOptions, Roster } from './types.ts';
import { decodeVectors } from './vectors.ts';

export interface EmbedOptions {
  readonly roster: Roster;
  readonly http: OllamaHttp;
  readonly options: FrozenOptions;
  /** Null: the model's own. */
  readonly dimensions: number | null;
  readonly prefixes: Prefixes;
  /** Ends every request, beside the signal of each. */
  readonly signal?: AbortSignal;
}

/** Texts of one request, and where the first of them stood in the caller's list. */
interface Part {
  readonly texts: readonly string[];
  readonly from: number;
  readonly tally: Tally;
}

type Ask = (part: Part) => Promise<Float32Array[]>;

/** Position of the text that is to blame, in the request's list; undefined when no single text is. */
export function culpritOf(error: unknown): number | undefined {
  const index: unknown =
    typeof error === 'object' && error !== null && 'index' in error ? error.index : undefined;
  return typeof index === 'number' ? index : undefined;
}

/**
 * Embeds texts in one request: up to 64 is a good number, because a server works on them one by one and only
 * the overhead of a request is saved. When it fails because of a text, that text is looked for: one bad text fails
 * the whole request otherwise.
 */
export const makeEmbed =
  ({ roster, http, options, dimensions, prefixes, signal: whole }: EmbedOptions): Embed =>
  async ({ texts, kind, signal: own }) => {
    if (texts.length === 0) return [];
    const signal = whole === undefined ? own : AbortSignal.any([whole, own]);
    const ask: Ask = ({ texts, tally }) =>
      untilAnswered({ roster, role: 'embed', signal, tally }, async ({ url, model }, turn) => {
        const body = embedBody(model, texts, options, dimensions);
        const pieces = http.pieces({ url, path: '/api/embed', body, turn, signal });
        return decodeVectors(pieces, { count: texts.length, dimensions });
      });
    return embedPart(ask, { texts: texts.map((text) => prefixes[kind] + text), from: 0, tally: noSetbacks });
  };

async function embedPart(ask: Ask, part: Part): Promise<Float32Array[]> {
  try {
    return await ask(part);
  } catch (error) {
    if (!isBlamable(error)) throw error;
    if (part.texts.length === 1) return embedSuspect(ask, part, error);
    const died = setbackOf(error) === 'died';
    // These texts have ended a server before: one more time is enough.
    const tally = died ? { ...noSetbacks, died: 1 } : noSetbacks;
    const vectors: Float32Array[] = [];
    for (const { at, texts } of split(part.texts, died ? 1 : Math.ceil(part.texts.length / 2)))
      vectors.push(...(await embedPart(ask, { texts, from: part.from + at, tally })));
    return vectors;
  }
}

/**
 * By halves, where a refusal costs nothing. One by one, where it costs a server: a hang takes minutes to be found,
 * and halves of 64 texts would run into it six times.
 */
const split = (texts: readonly string[], size: number): { at: number; texts: readonly string[] }[] =>
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
async function embedSuspect(ask: Ask, part: Part, error: unknown): Promise<Float32Array[]> {
  // Not a number for a text, and a fine vector for the same text with a space: seen with several encoders.
  if (codeOf(error) === 'bad-vector') {
    return ask({ ...part, texts: part.texts.map((text) => `${text} `) }).catch((again: unknown) => {
      throw culprit(part.from, again);
    });
  }
  // A server that fails every text must not make every document look damaged: then its own error is thrown.
  if (codeOf(error) !== 'too-long')
    await ask({ texts: ['canary'], from: 0, tally: { ...noSetbacks, died: 1 } });
  throw culprit(part.from, error);
}

function culprit(index: number, cause: unknown): RagError {
  const code = setbackOf(cause) === undefined ? (codeOf(cause) ?? 'bug') : 'model-refused';
  return Object.assign(new RagError(code, `Cannot embed text ${index}: ${messageOf(cause)}`, { cause }), {
    index,
  });
}
