/** Bodies of Ollama's API: which model a request is for, and what of it goes on. Pure. */
import { z } from 'zod';
import { isSameModel } from '../../models/name.ts';
import type { FrozenOptions, Role } from '../../models/types.ts';
import { badRequest, refusal } from '../problem.ts';

const options = z.looseObject({ num_predict: z.number().nullish() }).nullish();

/** `/api/chat` */
export const chatBody = z.looseObject({
  model: z.string(),
  messages: z.array(z.looseObject({ role: z.string() })).nullish(),
  stream: z.boolean().nullish(),
  options,
});

/** `/api/generate` */
export const generateBody = z.looseObject({
  model: z.string(),
  prompt: z.string().nullish(),
  stream: z.boolean().nullish(),
  options,
});

/** `/api/embed` */
export const embedBody = z.looseObject({
  model: z.string(),
  input: z.union([z.string(), z.array(z.string())]).nullish(),
  dimensions: z.number().nullish(),
  options,
});

/** `/api/embeddings`, as it was called before. */
export const embeddingBody = z.looseObject({ model: z.string(), prompt: z.string().nullish(), options });

/** `/api/show`; `name` in older clients. */
export const showBody = z.looseObject({ model: z.string().nullish(), name: z.string().nullish() });

export type Json = Readonly<Record<string, unknown>>;

/** @throws a refusal (400) for what is no JSON object, or not of this shape */
export function readBody<Shape extends z.ZodType>(raw: Buffer | undefined, shape: Shape): z.infer<Shape> {
  const parsed = shape.safeParse(parse(raw));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw badRequest(`${issue?.path.join('.') || 'its body'}: ${issue?.message ?? 'is wrong'}`, wanted);
  }
  return parsed.data;
}

const wanted = 'a JSON object like {"model": "...", ...}';

function parse(raw: Buffer | undefined): unknown {
  try {
    return JSON.parse(raw?.toString('utf8') ?? '');
  } catch {
    throw badRequest(
      'its body is no JSON',
      wanted,
      `curl -d '{"model": "...", "messages": [{"role": "user", "content": "..."}]}'`,
    );
  }
}

/** What was read from JSON is written again. @throws a refusal (400) where it is nested deeper than the stack of V8 */
export function asJson(body: Json): string {
  try {
    return JSON.stringify(body);
  } catch {
    throw badRequest('its body is nested thousands deep', 'a flatter one');
  }
}

/** Another value of one of these makes Ollama load the model anew: 142 GB for one stranger's default. */
const reloading = [
  'num_ctx',
  'num_batch',
  'num_gpu',
  'main_gpu',
  'use_mmap',
  'num_thread',
  'draft_num_predict',
];

/** Where a model writes. */
export const writing: readonly string[] = ['/api/chat', '/api/generate'];

/**
 * The model stays loaded as it is: `shift` counts as an option too, also of a request that only loads, and `keep_alive: 0`
 * would unload it.
 *
 * @param path at the model server
 */
export function pin(path: string, body: Json, frozen: FrozenOptions | undefined): Json {
  const asked = typeof body['options'] === 'object' && body['options'] !== null ? body['options'] : {};
  const harmless = Object.entries(asked).filter(([name]) => !reloading.includes(name));
  const { shift: _shift, ...rest } = body;
  return {
    ...rest,
    ...(writing.includes(path) ? { shift: false } : {}),
    keep_alive: -1,
    options: { ...Object.fromEntries(harmless), ...frozen },
  };
}

/** What a job serves in Ollama. */
export interface ServedName {
  readonly role: Role;
  readonly model: string;
}

/**
 * @param wanted what it is asked for: one model may do both, in two instances
 * @throws a refusal (404, as Ollama says it) when the job serves no such model: loading another would evict ours
 */
export function roleOf(asked: string, served: readonly ServedName[], wanted?: Role): Role {
  const roles = served.filter(({ model }) => isSameModel(asked, model)).map(({ role }) => role);
  const role = roles.find((each) => each === wanted) ?? roles[0];
  if (role === 'generate' && wanted === 'embed') throw notAnEmbedder(asked);
  if (role !== undefined) return role;
  const names = [...new Set(served.map(({ model }) => model))];
  if (names.length === 0) throw withoutOllama(`Cannot ask model ${JSON.stringify(asked)}`);
  throw refusal({
    status: 404,
    code: 'not-found',
    message: `Cannot ask model ${JSON.stringify(asked)}: it is not found, this job serves ${names.join(' and ')}, one of them is wanted`,
    hint: `Send "model": "${names[0]}", or start a job with OLLAMA_GENERATE_MODEL=${asked}`,
  });
}

/** It would be loaded anew, with other options. */
const notAnEmbedder = (asked: string): Error =>
  refusal({
    status: 400,
    code: 'model-refused',
    message: `Cannot embed with ${JSON.stringify(asked)}: this job serves it to answer, the model that embeds is wanted`,
    hint: 'GET /api/tags lists what there is; a job with OLLAMA_EMBED_MODEL embeds with another',
  });

/** @param cannot for the message, from its first word on */
export const withoutOllama = (cannot: string): Error =>
  refusal({
    status: 404,
    code: 'usage',
    message: `${cannot}: no model of this job is Ollama's, a job with one is wanted`,
    hint: 'Leave RAG_SERVICES unset, or start a job with RAG_RETRIEVER=ollama',
  });
