/** Answers of Ollama in the words of OpenAI's API, whole or piece by piece. Pure, but for ids and the time. */
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { OllamaLine } from '../gateway/ollama-lines.ts';

const usage = z.object({
  prompt_tokens: z.number(),
  completion_tokens: z.number(),
  total_tokens: z.number(),
});

const outToolCall = z.object({
  index: z.number(),
  id: z.string(),
  type: z.literal('function'),
  function: z.object({ name: z.string(), arguments: z.string() }),
});

const common = { id: z.string(), created: z.number(), model: z.string(), system_fingerprint: z.string() };

export const chatCompletionAnswer = z.object({
  ...common,
  object: z.literal('chat.completion'),
  choices: z.array(
    z.object({
      index: z.number(),
      message: z.object({
        role: z.literal('assistant'),
        content: z.string(),
        reasoning: z.string().optional(),
        tool_calls: z.array(outToolCall).optional(),
      }),
      logprobs: z.unknown().optional(),
      finish_reason: z.string(),
    }),
  ),
  usage,
});

/** One event of a stream. */
export const chatCompletionChunk = z.object({
  ...common,
  object: z.literal('chat.completion.chunk'),
  choices: z.array(
    z.object({
      index: z.number(),
      delta: z.object({
        role: z.literal('assistant').optional(),
        content: z.string().optional(),
        reasoning: z.string().optional(),
        tool_calls: z.array(outToolCall).optional(),
      }),
      logprobs: z.unknown().optional(),
      finish_reason: z.string().nullable(),
    }),
  ),
  usage: usage.nullish(),
});

export const completionAnswer = z.object({
  ...common,
  object: z.literal('text_completion'),
  choices: z.array(
    z.object({
      index: z.number(),
      text: z.string(),
      logprobs: z.unknown().optional(),
      finish_reason: z.string().nullable(),
    }),
  ),
  usage: usage.nullish(),
});

/** What all pieces of one answer have in common, and what was said in those before. */
export interface Telling {
  readonly id: string;
  readonly created: number;
  readonly model: string;
  readonly withUsage: boolean;
  toolCalls: number;
  hasBegun: boolean;
}

/** @param model as the client named it */
export const beginTelling = (kind: 'chatcmpl' | 'cmpl', model: string, withUsage: boolean): Telling => ({
  id: `${kind}-${randomBytes(12).toString('base64url')}`,
  created: Math.floor(Date.now() / 1000),
  model,
  withUsage,
  toolCalls: 0,
  hasBegun: false,
});

const headOf = ({ id, created, model }: Telling) => ({ id, created, model, system_fingerprint: 'fp_ollama' });

const usageOf = ({
  prompt_eval_count: read = 0,
  eval_count: written = 0,
}: OllamaLine): z.infer<typeof usage> => ({
  prompt_tokens: read,
  completion_tokens: written,
  total_tokens: read + written,
});

function toolCallsOf(telling: Telling, line: OllamaLine): z.infer<typeof outToolCall>[] {
  return (line.message?.tool_calls ?? []).map(({ id, function: { name, arguments: values } }) => ({
    index: telling.toolCalls++,
    id: id ?? `call_${randomBytes(9).toString('base64url')}`,
    type: 'function' as const,
    function: { name, arguments: JSON.stringify(values ?? {}) },
  }));
}

const finishOf = ({ toolCalls }: Telling, { done_reason: reason }: OllamaLine): string =>
  toolCalls > 0 ? 'tool_calls' : reason === 'length' ? 'length' : 'stop';

const logprobsOf = ({ logprobs }: OllamaLine): object | null =>
  logprobs == null ? null : { content: logprobs };

export function toChatCompletion(telling: Telling, line: OllamaLine): z.infer<typeof chatCompletionAnswer> {
  const { content = '', thinking } = line.message ?? {};
  const calls = toolCallsOf(telling, line);
  const message = {
    role: 'assistant' as const,
    content,
    ...(thinking === undefined || thinking === '' ? {} : { reasoning: thinking }),
    ...(calls.length === 0 ? {} : { tool_calls: calls }),
  };
  return {
    ...headOf(telling),
    object: 'chat.completion',
    choices: [{ index: 0, message, logprobs: logprobsOf(line), finish_reason: finishOf(telling, line) }],
    usage: usageOf(line),
  };
}

/** The events that a line becomes: a piece, at the end the reason for it, and what it cost where that is wanted. */
export function toChatChunks(telling: Telling, line: OllamaLine): z.infer<typeof chatCompletionChunk>[] {
  const { content = '', thinking = '' } = line.message ?? {};
  const calls = toolCallsOf(telling, line);
  const delta = {
    ...(telling.hasBegun ? {} : { role: 'assistant' as const }),
    ...(content === '' && telling.hasBegun ? {} : { content }),
    ...(thinking === '' ? {} : { reasoning: thinking }),
    ...(calls.length === 0 ? {} : { tool_calls: calls }),
  };
  telling.hasBegun = true;
  const chunk = { ...headOf(telling), object: 'chat.completion.chunk' as const };
  const finish = line.done === true ? finishOf(telling, line) : null;
  const piece = {
    ...chunk,
    choices: [{ index: 0, delta, logprobs: logprobsOf(line), finish_reason: finish }],
  };
  if (line.done !== true || !telling.withUsage) return [piece];
  return [piece, { ...chunk, choices: [], usage: usageOf(line) }];
}

export function toCompletion(telling: Telling, line: OllamaLine): z.infer<typeof completionAnswer> {
  const [answer] = toCompletionChunks({ ...telling, withUsage: false }, line);
  return {
    ...headOf(telling),
    object: 'text_completion',
    choices: answer?.choices ?? [],
    usage: usageOf(line),
  };
}

export function toCompletionChunks(telling: Telling, line: OllamaLine): z.infer<typeof completionAnswer>[] {
  const chunk = { ...headOf(telling), object: 'text_completion' as const };
  const finish = line.done === true ? finishOf(telling, line) : null;
  const choice = { index: 0, text: line.response ?? '', logprobs: null, finish_reason: finish };
  const piece = { ...chunk, choices: [choice] };
  if (line.done !== true || !telling.withUsage) return [piece];
  return [piece, { ...chunk, choices: [], usage: usageOf(line) }];
}
