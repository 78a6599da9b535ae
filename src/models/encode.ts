/** Vectors by an encoder of the Python children: MedCPT, e5, any Hugging Face folder. */
import { RagError } from '../errors.ts';
import { readBlock, type WantedBlock } from './block.ts';
import { embedParts, type Embedder } from './embed-parts.ts';
import { unfinished } from './ollama-errors.ts';
import type { Sidecars } from './sidecar.ts';
import type { Embed, EmbedRequest } from './types.ts';

export interface EncodeOptions {
  readonly sidecars: Pick<Sidecars, 'ask'>;
  /** Its name, as the children told it when they became ready. */
  readonly encoder: string;
  /** What the vectors are to be; waits for the first child that is ready. */
  readonly wanted: (signal: AbortSignal) => Promise<Omit<WantedBlock, 'count'>>;
  /** Ends every request, beside the signal of each. */
  readonly signal?: AbortSignal;
}

/** A query, or a passage and its title. */
type Item = string | { readonly title: string; readonly text: string };

/** Of one request: few enough that several children share a large list, and that a frame stays far below its bound. */
const mostTexts = 64;

/**
 * Prefixes, truncation and how a title stands before a text are the encoder's own and added by the child. Lists of
 * more than 64 texts are shared out among the children.
 */
export const makeEncode =
  (options: EncodeOptions): Embed =>
  async (request) => {
    if (request.texts.length === 0) return [];
    const signal =
      options.signal === undefined ? request.signal : AbortSignal.any([options.signal, request.signal]);
    const wanted = await options.wanted(signal);
    const embedder: Embedder<Item> = {
      ask: ({ texts }) => askFor(options, { texts, kind: request.kind, signal }, wanted),
      padded: (item) => (typeof item === 'string' ? `${item} ` : { ...item, text: `${item.text} ` }),
      canary: 'canary',
    };
    const parts = inParts(itemsOf(request));
    const vectors = await Promise.all(parts.map(({ from, items }) => embedParts(embedder, items, from)));
    return vectors.flat();
  };

const itemsOf = ({ texts, kind, titles }: EmbedRequest): Item[] =>
  kind === 'query' ? [...texts] : texts.map((text, at) => ({ title: titles?.[at] ?? '', text }));

const inParts = (items: readonly Item[]): { from: number; items: Item[] }[] =>
  Array.from({ length: Math.ceil(items.length / mostTexts) }, (_, part) => part * mostTexts).map((from) => ({
    from,
    items: items.slice(from, from + mostTexts),
  }));

const lengthOf = (item: Item): number =>
  typeof item === 'string' ? item.length : item.title.length + item.text.length;

async function askFor(
  { sidecars, encoder }: EncodeOptions,
  { texts, kind, signal }: { texts: readonly Item[]; kind: EmbedRequest['kind']; signal: AbortSignal },
  wanted: Omit<WantedBlock, 'count'>,
): Promise<Float32Array[]> {
  const answer = await sidecars
    .ask({
      frame: { op: 'encode', encoder, texts, kind },
      weight: texts.reduce((sum, item) => sum + lengthOf(item), 0),
      ifNone: 'wait',
      signal,
    })
    .catch((error: unknown) => {
      // It ended with these texts, and again: one of them may be the reason.
      throw error instanceof RagError && error.code === 'model-unavailable'
        ? unfinished(error.message, error)
        : error;
    });
  return readBlock(answer, { ...wanted, count: texts.length });
}
