/** What clients look at before they ask: the models that this job serves, as its instances describe them. */
import { z } from 'zod';
import type { Connections } from '../../models/address.ts';
import { isSameModel } from '../../models/name.ts';
import type { LiveInstance, Role } from '../../models/types.ts';
import { typeOf } from './answer-form.ts';
import { type ServedName, withoutOllama } from './ollama-body.ts';
import { refusal } from '../problem.ts';

const described = z.looseObject({
  name: z.string(),
  model: z.string().optional(),
  modified_at: z.string().optional(),
});

/** `/api/tags` and `/api/ps` */
export const modelsAnswer = z.object({ models: z.array(described) });

export const versionAnswer = z.looseObject({ version: z.string() });

const openaiModel = z.object({
  id: z.string(),
  object: z.literal('model'),
  created: z.number(),
  owned_by: z.string(),
});

/** `/v1/models/{id}` */
export const modelAnswer = openaiModel;

/** `/v1/models` */
export const modelListAnswer = z.object({ object: z.literal('list'), data: z.array(openaiModel) });

export type DescribedModel = z.infer<typeof described>;

export interface Describing {
  readonly models: readonly ServedName[];
  readonly instances: (role: Role) => readonly LiveInstance[];
}

interface Ask {
  readonly path: string;
  /** Of a POST. */
  readonly body?: string;
}

/** What it answered, whatever the status: who asks for a model that is not there is told so. */
export interface Described {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

/** A server that is well tells this at once, also while it loads a model or is full of work. */
const patienceMs = 5000;

/**
 * @param eachMs for one instance: one that hangs must not keep the others from being asked
 * @throws a refusal (503) when none of the instances answers
 */
export async function askAny(
  connections: Connections,
  instances: readonly LiveInstance[],
  { path, body }: Ask,
  signal: AbortSignal,
  eachMs: number = patienceMs,
): Promise<Described> {
  for (const { url } of instances) {
    const { origin, dispatcher } = connections.to(url);
    try {
      const answer = await dispatcher.request({
        origin,
        path,
        signal: AbortSignal.any([signal, AbortSignal.timeout(eachMs)]),
        ...(body === undefined
          ? { method: 'GET' }
          : { method: 'POST', body, headers: { 'content-type': 'application/json' } }),
      });
      const text = await answer.body.text();
      if (answer.statusCode >= 500) continue;
      const type = typeOf(String(answer.headers['content-type'] ?? 'application/json'));
      return { status: answer.statusCode, type, text };
    } catch {
      // It may be on its way out, or being started: the next may do.
    }
  }
  signal.throwIfAborted();
  throw refusal({
    status: 503,
    code: 'model-unavailable',
    message: 'Cannot ask the model servers: none is up, a ready one is wanted',
    hint: 'Ask /readyz when one is',
    retryAfterSeconds: 30,
  });
}

/** By role; @throws a refusal where the job has none of Ollama's */
export function rolesOf({ models }: Pick<Describing, 'models'>): Role[] {
  if (models.length === 0) throw withoutOllama('Cannot ask the model servers');
  return [...new Set(models.map(({ role }) => role))];
}

/**
 * The models of all roles, each once, and none that a server elsewhere has beside them. A role that has no instance up has
 * none to show.
 */
export async function listModels(
  connections: Connections,
  upstream: Describing,
  path: string,
  signal: AbortSignal,
): Promise<DescribedModel[]> {
  const lists = await Promise.allSettled(
    rolesOf(upstream).map(async (role) => {
      const { text } = await askAny(connections, upstream.instances(role), { path }, signal);
      return modelsAnswer.parse(JSON.parse(text)).models;
    }),
  );
  if (lists.every(({ status }) => status === 'rejected')) throw (lists[0] as PromiseRejectedResult).reason;
  const models = lists
    .flatMap((list) => (list.status === 'fulfilled' ? list.value : []))
    .filter(({ name }) => upstream.models.some(({ model }) => isSameModel(name, model)));
  return [...new Map(models.map((model) => [model.name, model])).values()];
}

export const toOpenaiModel = ({ name, modified_at: at }: DescribedModel): z.infer<typeof openaiModel> => ({
  id: name,
  object: 'model',
  created: at === undefined || Number.isNaN(Date.parse(at)) ? 0 : Math.floor(Date.parse(at) / 1000),
  owned_by: 'library',
});
