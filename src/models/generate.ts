import { answerError, unfinished } from './ollama-errors.ts';
import { chatBody } from './ollama-body.ts';
import type { OllamaHttp } from './ollama-http.ts';
import { nextTry, noSetbacks, pause, turnOf } from './patience.ts';
import type { FrozenOptions, Generate, Roster } from './types.ts';

export interface GenerateOptions {
  readonly roster: Roster;
  readonly http: OllamaHttp;
  readonly options: FrozenOptions;
  /** Ends every answer, beside the signal of each. */
  readonly signal?: AbortSignal;
}

/**
 * Answers token by token. An answer that fails is begun again only while nothing of it was heard: two halves
 * of two answers are not an answer. Leaving the loop or aborting closes the request, which ends the work.
 */
export const makeGenerate = ({ roster, http, options, signal: whole }: GenerateOptions): Generate =>
  async function* generate({ messages, maxTokens, onPromptTokens, signal: own }) {
    const signal = whole === undefined ? own : AbortSignal.any([whole, own]);
    let tally = noSetbacks;
    for (;;) {
      const { url, model } = await roster.untilAvailable('generate', signal);
      const body = chatBody(model, messages, options, maxTokens);
      const ask = { url, path: '/api/chat', body, turn: turnOf(tally), signal };
      let heard = false;
      try {
        for await (const piece of readChat(model, http.lines(ask), onPromptTokens)) {
          heard = true;
          yield piece;
        }
        return;
      } catch (error) {
        const next = heard ? null : nextTry(tally, error);
        if (next === null) throw error;
        tally = next.tally;
        await pause(next.waitMs, signal);
      }
    }
  };

/**
 * The pieces of a chat stream. Only `done: true` is success: the status is 200 before the first token, any
 * later line may be an error, and a stream may end politely in the middle of a sentence.
 *
 * @throws as an error answer would; model-unavailable when the stream ends unfinished
 */
export async function* readChat(
  model: string,
  lines: AsyncIterable<unknown>,
  onPromptTokens?: (tokens: number) => void,
): AsyncGenerator<string, void> {
  for await (const line of lines) {
    if (typeof line !== 'object' || line === null) continue;
    if ('error' in line) throw answerError(model, 500, String(line.error));
    const content = 'message' in line ? contentOf(line.message) : '';
    if (content !== '') yield content;
    if ('done' in line && line.done === true) {
      // The field is missing where it is zero.
      if ('prompt_eval_count' in line) onPromptTokens?.(Number(line.prompt_eval_count));
      return;
    }
  }
  throw unfinished('the stream ended unfinished');
}

const contentOf = (message: unknown): string =>
  typeof message === 'object' &&
  message !== null &&
  'content' in message &&
  typeof message.content === 'string'
    ? message.content
    : '';
