import type { ChatMessage, FrozenOptions } from './types.ts';

/** Every request body that reaches a model, in one place: fields that differ between two calls make Ollama reload. */
type Body = { readonly model: string } & Readonly<Record<string, unknown>>;

/** A number: the string "-1" is refused with 400 `missing unit in duration`. */
const keepAlive = -1;

/**
 * `truncate: false` refuses a text over the limit; the default cuts it and answers 200. No texts: load only.
 * Options must hold `num_batch`: without it the limit of an embedder is 2048 tokens, whatever `num_ctx` says.
 */
export const embedBody = (
  model: string,
  texts: readonly string[],
  options: FrozenOptions,
  dimensions: number | null,
): Body => ({
  model,
  ...(texts.length === 0 ? {} : { input: texts }),
  truncate: false,
  ...(dimensions === null ? {} : { dimensions }),
  keep_alive: keepAlive,
  options,
});

/**
 * `truncate` and `shift` are false because the defaults drop the front of a long prompt without a word;
 * `shift` also counts as a changed option, so that the load must send it too. `think: false`: a thinking model
 * spends its tokens on thoughts otherwise. No messages: load only.
 */
export const chatBody = (
  model: string,
  messages: readonly ChatMessage[],
  options: FrozenOptions,
  maxTokens: number | null,
): Body => ({
  model,
  messages,
  stream: true,
  think: false,
  truncate: false,
  shift: false,
  keep_alive: keepAlive,
  options: {
    ...options,
    ...(maxTokens === null ? {} : { num_predict: maxTokens, temperature: 0.2, seed: 1 }),
  },
});
