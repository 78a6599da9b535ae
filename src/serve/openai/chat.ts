/**
 * `/v1/chat/completions` in the words of `/api/chat` and back. Ollama speaks both, but to a request of the first nothing can be
 * said of its options, and what it takes in their place (`shift`) makes it load a model anew that others use.
 */
import { z } from 'zod';
import { badRequest } from '../problem.ts';

const textPart = z.looseObject({ type: z.literal('text'), text: z.string() });
const imagePart = z.looseObject({
  type: z.literal('image_url'),
  image_url: z.union([z.string(), z.looseObject({ url: z.string() })]),
});
const toolCall = z.looseObject({
  id: z.string().nullish(),
  function: z.looseObject({ name: z.string(), arguments: z.string() }),
});

const message = z.looseObject({
  role: z.string(),
  content: z.union([z.string(), z.array(z.discriminatedUnion('type', [textPart, imagePart]))]).nullish(),
  reasoning: z.string().nullish(),
  tool_calls: z.array(toolCall).nullish(),
  tool_call_id: z.string().nullish(),
  name: z.string().nullish(),
});

const number = z.number().nullish();

/** Sampling, as all routes that write take it. */
export const samplingFields = {
  model: z.string(),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().nullish() }).nullish(),
  max_tokens: number,
  temperature: number,
  top_p: number,
  seed: number,
  frequency_penalty: number,
  presence_penalty: number,
  stop: z.union([z.string(), z.array(z.string())]).nullish(),
  n: number,
  user: z.string().nullish(),
};

/** Other fields have no effect. */
export const chatCompletionBody = z.looseObject({
  ...samplingFields,
  messages: z.array(message).min(1),
  max_completion_tokens: number,
  response_format: z
    .looseObject({
      type: z.string(),
      json_schema: z.looseObject({ schema: z.unknown().optional() }).nullish(),
    })
    .nullish(),
  reasoning_effort: z.string().nullish(),
  tools: z.array(z.looseObject({})).nullish(),
  tool_choice: z.unknown().optional(),
  logprobs: z.boolean().nullish(),
  top_logprobs: number,
});

type Body = z.infer<typeof chatCompletionBody>;
type Message = z.infer<typeof message>;

/** @throws a refusal for what `/api/chat` has no word for */
export function toOllamaChat(body: Body): Record<string, unknown> {
  const { messages, response_format: format, tools, tool_choice: choice, logprobs, top_logprobs } = body;
  return {
    model: body.model,
    messages: messages.map((each) => toOllamaMessage(each, messages)),
    stream: true,
    options: samplingOf({ ...body, max_tokens: body.max_completion_tokens ?? body.max_tokens }),
    ...(format?.type === 'json_object' ? { format: 'json' } : {}),
    ...(format?.type === 'json_schema' ? { format: format.json_schema?.schema ?? 'json' } : {}),
    // As Ollama does: the model chooses, unless it must not.
    ...(tools == null || choice === 'none' ? {} : { tools }),
    ...(body.reasoning_effort == null ? {} : { think: thinkOf(body.reasoning_effort) }),
    ...(logprobs == null ? {} : { logprobs }),
    ...(top_logprobs == null ? {} : { top_logprobs }),
  };
}

const thinkOf = (effort: string): string | boolean =>
  effort === 'none' ? false : ({ minimal: 'low', xhigh: 'high' }[effort] ?? effort);

/** Where nothing is said, what OpenAI's API takes: Ollama's own routes take others. @throws a refusal for `n` above 1 */
export function samplingOf(body: z.infer<z.ZodObject<typeof samplingFields>>): Record<string, unknown> {
  if ((body.n ?? 1) > 1) throw badRequest('n is above 1', 'one answer a request', 'Send the request again');
  const said = {
    num_predict: body.max_tokens,
    seed: body.seed,
    frequency_penalty: body.frequency_penalty,
    presence_penalty: body.presence_penalty,
    stop: typeof body.stop === 'string' ? [body.stop] : body.stop,
  };
  return {
    temperature: body.temperature ?? 1,
    top_p: body.top_p ?? 1,
    ...Object.fromEntries(Object.entries(said).filter(([, value]) => value != null)),
  };
}

function toOllamaMessage(said: Message, all: readonly Message[]): Record<string, unknown> {
  const parts =
    typeof said.content === 'string' ? [{ type: 'text' as const, text: said.content }] : (said.content ?? []);
  const images = parts.flatMap((part) => (part.type === 'image_url' ? [imageOf(part.image_url)] : []));
  const text = parts.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('');
  const calls = said.tool_calls ?? [];
  const id = said.tool_call_id ?? undefined;
  return {
    role: said.role === 'developer' ? 'system' : said.role,
    content: text,
    ...(said.reasoning == null ? {} : { thinking: said.reasoning }),
    ...(images.length === 0 ? {} : { images }),
    ...(calls.length === 0 ? {} : { tool_calls: calls.map(toOllamaCall) }),
    ...(id === undefined ? {} : { tool_call_id: id, tool_name: said.name ?? nameOfCall(id, all) }),
  };
}

const nameOfCall = (id: string, all: readonly Message[]): string | undefined =>
  all.flatMap(({ tool_calls: calls }) => calls ?? []).findLast((call) => call.id === id)?.function.name;

function toOllamaCall({ id, function: { name, arguments: text } }: z.infer<typeof toolCall>): object {
  return { ...(id == null ? {} : { id }), function: { name, arguments: parsed(text === '' ? '{}' : text) } };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw badRequest('the arguments of a tool call are no JSON', 'what the model had answered');
  }
}

/** Nothing that a request names is ever fetched. */
function imageOf(given: string | { readonly url: string }): string {
  const url = typeof given === 'string' ? given : given.url;
  const [, data] = /^data:[^,]*;base64,(.*)$/s.exec(url) ?? [];
  if (data === undefined)
    throw badRequest('a picture is given by an address', 'its bytes (data:image/png;base64,...)');
  return data;
}
