import { embedParts, type Embedder } from './embed-parts.ts';
import { embedBody } from './ollama-body.ts';
import type { OllamaHttp } from './ollama-http.ts';
import { untilAnswered } from './patience.ts';
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
    const embedder: Embedder<string> = {
      ask: ({ texts: part, tally }) =>
        untilAnswered({ roster, role: 'embed', signal, tally }, async ({ url, model }, turn) => {
          const body = embedBody(model, part, options, dimensions);
          const pieces = http.pieces({ url, path: '/api/embed', body, turn, signal });
          return decodeVectors(pieces, { count: part.length, dimensions });
        }),
      padded: (text) => `${text} `,
      canary: 'canary',
    };
    return embedParts(
      embedder,
      texts.map((text) => prefixes[kind] + text),
    );
  };
