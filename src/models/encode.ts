/** Vectors by an encoder of the Python children: MedCPT, e5, any Hugging Face folder. */
import { RagError } from '../errors.ts';
import { readBlock, type WantedBlock } from './block.ts';
import { embedParts, type Embedder } from './embed-parts.ts';
import { unfinished } from './ollama-errors.ts';
import type { SidecarAsk, Sidecars } from './sidecar.ts';
import type { Embed, EmbedRequest } from './types.ts';

export interface EncodeOptions {
  readonly sidecars: Pick<Sidecars, 'ask'>;
  /** The encoder as the children told of it; waits until they are ready. */
  readonly untilEncoder: (
    signal: AbortSignal,
  ) => Promise<Pick<WantedBlock, 'dimensions' | 'metric'> & { readonly name: string }>;
  readonly type: WantedBlock['type'];
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
    const encoder = await options.untilEncoder(signal);
    const embedder: Embedder<Item> = {
      ask: async ({ texts }) => {
        const frame = { op: 'encode', encoder: encoder.name, texts, kind: request.kind };
        const answer = await askFor(options.sidecars, { frame, weight: weightOf(texts), signal });
        return readBlock(answer, { ...encoder, type: options.type, count: texts.length });
      },
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

const weightOf = (items: readonly Item[]): number =>
  items.reduce(
    (sum, item) => sum + (typeof item === 'string' ? item.length : item.title.length + item.text.length),
    0,
  );

const askFor = (
  sidecars: EncodeOptions['sidecars'],
  ask: Omit<SidecarAsk, 'ifNone'>,
): Promise<Readonly<Record<string, unknown>>> =>
  sidecars.ask({ ...ask, ifNone: 'wait' }).catch((error: unknown) => {
    // It ended with these texts, and again: one of them may be the reason.
    throw error instanceof RagError && error.code === 'model-unavailable'
      ? unfinished(error.message, error)
      : error;
  });
