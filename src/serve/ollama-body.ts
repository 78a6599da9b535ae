import { RagError } from '../errors.ts';
import type { Flights } from '../models/flights.ts';
import { isSameModel } from '../models/name.ts';
import type { FrozenOptions, ModelEndpoint, Role } from '../models/types.ts';

export interface OllamaUpstream {
  /** What the job has; both when nothing is said. */
  readonly roles?: readonly Role[];
  /** A live instance of the role; the next one at each call where there are several. */
  current(role: Role): ModelEndpoint | undefined;
  /** The options that the role's model was loaded with. */
  frozen(role: Role): FrozenOptions | undefined;
  /** What is under way to them: who watches a server counts these requests, and ends them with the others. */
  readonly flights: Flights;
}

export interface Destination {
  readonly url: string;
  readonly body: Buffer;
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

/**
 * Which instance a request is for, by the model it names, and the body to send there.
 * @throws usage when the body names no model of ours: loading another would evict ours; model-unavailable when its instance may be down
 */
export function direct(path: string, raw: Buffer, upstream: OllamaUpstream): Destination {
  const body = parseBody(raw);
  // Once a role: each look moves on to the next instance, so that a second one would skip half of them.
  const live = rolesOf(upstream).map((role) => ({ role, endpoint: upstream.current(role) }));
  const found = live.find(({ endpoint }) => sameModel(body['model'], endpoint?.model));
  if (found?.endpoint === undefined) throw notServed(body['model'], live);
  const asIs = path.startsWith('/v1/') || path === '/api/show';
  const pinned = asIs ? body : pin(body, upstream.frozen(found.role));
  return { url: found.endpoint.url, body: Buffer.from(asJson(pinned)) };
}

/** What was read from JSON is written again, but for one that is nested deeper than the stack of V8. */
function asJson(body: Body): string {
  try {
    return JSON.stringify(body);
  } catch (cause) {
    throw new RagError(
      'usage',
      'Cannot pass the request on: its body is nested thousands deep, a flatter one is wanted',
      { cause },
    );
  }
}

/** Each once. */
export const rolesOf = ({ roles = ['generate', 'embed'] }: OllamaUpstream): Role[] => [...new Set(roles)];

type Body = Readonly<Record<string, unknown>>;

function parseBody(raw: Buffer): Body {
  try {
    const body: unknown = JSON.parse(raw.toString('utf8'));
    if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body as Body;
  } catch {
    // Said below, together with JSON that is no object.
  }
  throw new RagError(
    'usage',
    'Cannot read the request: its body is not a JSON object, {"model": ...} is wanted',
  );
}

/** `qwen3` and `qwen3:latest` are one model. */
const sameModel = (asked: unknown, held: string | undefined): boolean =>
  typeof asked === 'string' && held !== undefined && isSameModel(asked, held);

/** The model stays loaded as it is: `shift` counts as an option too, and `keep_alive: 0` would unload it. */
function pin(body: Body, frozen: FrozenOptions | undefined): Body {
  const asked = typeof body['options'] === 'object' && body['options'] !== null ? body['options'] : {};
  const harmless = Object.entries(asked).filter(([name]) => !reloading.includes(name));
  const { shift: _shift, ...rest } = body;
  const answers = 'messages' in body || 'prompt' in body;
  return {
    ...rest,
    ...(answers && !('input' in body) ? { shift: false } : {}),
    keep_alive: -1,
    options: { ...Object.fromEntries(harmless), ...frozen },
  };
}

interface Live {
  readonly role: Role;
  readonly endpoint: ModelEndpoint | undefined;
}

/** @param cannot for the message, from its first word on */
export const withoutOllama = (cannot: string): RagError =>
  new RagError('usage', `${cannot}: no model of this job is Ollama's, a job with one is wanted`, {
    hint: 'Leave RAG_SERVICES unset, or start a job with RAG_RETRIEVER=ollama',
  });

function notServed(model: unknown, live: readonly Live[]): RagError {
  const served = live.flatMap(({ endpoint }) => endpoint?.model ?? []);
  const missing = live.filter(({ endpoint }) => endpoint === undefined).map(({ role }) => role);
  const asked = `Cannot ask model ${JSON.stringify(model) ?? 'undefined'}`;
  if (missing.length > 0)
    return new RagError(
      'model-unavailable',
      `${asked}: no instance that is up holds it (not up: ${missing.join(', ')})`,
      {
        hint: 'Ask /readyz what is missing; a restart takes as long as loading the model',
      },
    );
  if (live.length === 0) return withoutOllama(asked);
  return new RagError('usage', `${asked}: this job serves ${served.join(' and ')}, one of them is wanted`, {
    hint: `Send "model": "${served[0] ?? ''}", or start a job with OLLAMA_GENERATE_MODEL=${String(model)}`,
  });
}
