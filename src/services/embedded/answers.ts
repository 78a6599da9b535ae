import { createHash } from 'node:crypto';
import { extractiveAnswer } from './extractive.ts';
import { dimensions, hashedVector } from './hashing.ts';

export const version = '0.0.0-embedded';

/** Names are labels too: whoever reads one knows that no model spoke. The number changes with the algorithm. */
const models = [
  { name: 'embedded-hashing', capability: 'embedding', revision: 1 },
  { name: 'embedded-extractive', capability: 'completion', revision: 1 },
] as const;

type Known = (typeof models)[number];
type Json = Readonly<Record<string, unknown>>;

/** `lines`: a streamed answer of one object per line. */
export type Answer = { readonly status: number; readonly json: Json } | { readonly lines: readonly Json[] };

const failure = (status: number, error: string): Answer => ({ status, json: { error } });
const ok = (json: Json): Answer => ({ status: 200, json });

const entry = ({ name, capability, revision }: Known): Json => ({
  name,
  model: name,
  size: 0,
  digest: createHash('sha256').update(`${name}-${revision}`).digest('hex'),
  details: { format: 'none', family: 'embedded', parameter_size: '0', quantization_level: 'none' },
  capabilities: [capability],
});

/** Ollama's HTTP API as far as a client needs it, as a function of the request. */
export function answerTo(method: string, path: string, body: Json): Answer {
  if (method === 'GET' || method === 'HEAD') return answerAboutServer(path);
  const model = models.find(({ name }) => name === String(body['model']).replace(/:latest$/, ''));
  if (model === undefined) return failure(404, `model '${String(body['model'])}' not found`);
  if (path === '/api/show')
    return ok({ details: {}, model_info: modelInfo(model), capabilities: [model.capability] });
  if (path === '/api/embed') return embed(model, body);
  if (path === '/api/chat') return complete(model, body, 'message');
  if (path === '/api/generate') return complete(model, body, 'response');
  return failure(404, '404 page not found');
}

function answerAboutServer(path: string): Answer {
  if (path === '/api/version') return ok({ version });
  if (path === '/api/tags') return ok({ models: models.map(entry) });
  if (path === '/api/ps') return ok({ models: models.map((model) => ({ ...entry(model), size_vram: 0 })) });
  return failure(404, '404 page not found');
}

const modelInfo = ({ name }: Known): Json => ({
  'general.architecture': 'embedded',
  ...(name === 'embedded-hashing' ? { 'embedded.embedding_length': dimensions } : {}),
});

function embed(model: Known, body: Json): Answer {
  if (model.capability !== 'embedding') return failure(400, 'this model does not support embeddings');
  const input: unknown = body['input'] ?? [];
  const texts: unknown[] = Array.isArray(input) ? input : [input];
  if (!texts.every((text) => typeof text === 'string')) return failure(400, 'invalid input type');
  const size = typeof body['dimensions'] === 'number' ? body['dimensions'] : dimensions;
  const embeddings = texts.map((text) => shorten(hashedVector(text), size));
  return ok({ model: model.name, embeddings, total_duration: 0 });
}

/** As Ollama does: cut, then of norm 1 again. */
function shorten(vector: number[], size: number): number[] {
  if (size >= vector.length) return vector;
  const cut = vector.slice(0, size);
  const norm = Math.hypot(...cut) || 1;
  return cut.map((value) => value / norm);
}

function complete(model: Known, body: Json, field: 'message' | 'response'): Answer {
  if (model.capability !== 'completion') return failure(400, `"${model.name}" does not support chat`);
  const prompt = field === 'response' ? textOf(body['prompt']) : lastMessage(body['messages']);
  const said = (text: string): Json => ({
    model: model.name,
    created_at: new Date(0).toISOString(),
    [field]: field === 'response' ? text : { role: 'assistant', content: text },
  });
  if (prompt === '') return ok({ ...said(''), done: true, done_reason: 'load' });
  const { num_predict: limit } = (body['options'] ?? {}) as { num_predict?: number };
  const words = extractiveAnswer(prompt).match(/\S+\s*/g) ?? [];
  const kept = words.slice(0, limit !== undefined && limit > 0 ? limit : words.length);
  const end = {
    done: true,
    done_reason: kept.length < words.length ? 'length' : 'stop',
    eval_count: kept.length,
  };
  if (body['stream'] === false) return ok({ ...said(kept.join('')), ...end });
  return { lines: [...kept.map((word) => ({ ...said(word), done: false })), { ...said(''), ...end }] };
}

const lastMessage = (messages: unknown): string => {
  const last: unknown = Array.isArray(messages) ? messages.at(-1) : undefined;
  return typeof last === 'object' && last !== null && 'content' in last ? textOf(last.content) : '';
};

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
