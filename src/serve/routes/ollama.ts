/**
 * Ollama's own API for the instances of this job: `gateway/` says where a request goes. What would change the model store, or
 * load other models than those the job was planned for, is refused.
 */
import type { FastifyInstance } from 'fastify';
import type { z } from 'zod';
import { requestWork } from '../../models/load.ts';
import type { FrozenOptions, Role } from '../../models/types.ts';
import { asItIs, folded } from '../gateway/answer-form.ts';
import { callerOf } from '../gateway/caller.ts';
import { goneSignal } from '../client-gone.ts';
import { beginningsOf } from '../gateway/conversations.ts';
import type { Gateway } from '../gateway/gateway.ts';
import type { Question } from '../gateway/pass-on.ts';
import { type Budget, type Hold, readHeldBodies } from '../gateway/held-bodies.ts';
import { askAny, type Describing, listModels, rolesOf } from '../gateway/model-lists.ts';
import {
  asJson,
  chatBody,
  embedBody,
  embeddingBody,
  generateBody,
  type Json,
  pin,
  readBody,
  roleOf,
  showBody,
  writing,
} from '../gateway/ollama-body.ts';
import { refusePostponed, type WhyPostponed } from '../postponed.ts';
import { badRequest, type Problem, refuse } from '../problem.ts';

export interface OllamaUpstream extends Describing {
  /** The options that the role's model was loaded with. */
  readonly frozen: (role: Role) => FrozenOptions | undefined;
}

export interface OllamaParts {
  readonly upstream: OllamaUpstream;
  readonly gateway: Gateway;
  readonly budget: Budget;
  readonly postponed: WhyPostponed;
}

const asking: Readonly<Record<string, z.ZodType<Json & { model: string }>>> = {
  '/api/chat': chatBody,
  '/api/generate': generateBody,
  '/api/embed': embedBody,
  '/api/embeddings': embeddingBody,
};

export const wantedBy = (path: string): Role => (path.startsWith('/api/embed') ? 'embed' : 'generate');

const refused = ['pull', 'push', 'create', 'copy', 'delete', 'blobs/*'];

export function addOllamaRoutes(app: FastifyInstance, parts: OllamaParts): void {
  const { upstream, gateway, budget, postponed } = parts;
  void app.register((scope, _options, done) => {
    const holdOf = readHeldBodies(scope, budget);
    for (const [path, shape] of Object.entries(asking))
      scope.post<{ Body: Buffer }>(path, anyType, async (request, reply) => {
        const body = readBody(request.body, shape);
        const role = roleOf(body.model, upstream.models, wantedBy(path));
        const why = role === 'generate' ? postponed() : undefined;
        if (why !== undefined) return refusePostponed(reply, why);
        const caller = callerOf(request, body);
        // One object that is long in the making shows no sign of life.
        const isWhole = writing.includes(path) && body['stream'] === false;
        const asked = { path, body: isWhole ? { ...body, stream: true } : body, role, caller };
        const question = toQuestion({ ...asked, hold: holdOf(reply) }, upstream);
        return await gateway.ask({ ...question, form: isWhole ? folded(path) : asItIs(path) }, reply);
      });
    scope.post<{ Body: Buffer }>('/api/show', anyType, async (request, reply) => {
      const body = readBody(request.body, showBody);
      const model = body.model ?? body.name;
      if (model == null) throw badRequest('it names no model', '{"model": "..."}');
      const instances = upstream.instances(roleOf(model, upstream.models));
      const ask = { path: '/api/show', body: asJson(body) };
      const { status, type, text } = await askAny(gateway.connections, instances, ask, goneSignal(reply));
      return reply.code(status).type(type).send(text);
    });
    done();
  });
  for (const path of ['/api/tags', '/api/ps'])
    app.get(path, async (_request, reply) => ({
      models: await listModels(gateway.connections, upstream, path, goneSignal(reply)),
    }));
  app.get('/api/version', async (_request, reply) => {
    const instances = rolesOf(upstream).flatMap((role) => upstream.instances(role));
    const ask = { path: '/api/version' };
    const { type, text } = await askAny(gateway.connections, instances, ask, goneSignal(reply));
    return reply.type(type).send(text);
  });
  addRefusals(app);
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Bodies of every Content-Type are read as JSON. */
    anyType?: boolean;
  }
}

/** For the wall that keeps other types away from the other routes. */
export const anyType = { config: { anyType: true } };

function addRefusals(app: FastifyInstance): void {
  for (const name of refused) {
    const problem = modelsAreFixed(name.split('/')[0] ?? '');
    // Before the body is read: a blob may be gigabytes.
    app.all(
      `/api/${name}`,
      { ...anyType, onRequest: async (_request, reply) => void (await refuse(reply, problem)) },
      () => undefined,
    );
  }
}

const modelsAreFixed = (action: string): Problem => ({
  status: 403,
  code: 'forbidden',
  message: `Cannot ${action}: a running job does not change its models, other requests are wanted`,
  hint: 'Change the model store outside the job: ollama pull MODEL',
});

interface Asked {
  /** At the model server. */
  readonly path: string;
  readonly body: Json & { readonly model: string };
  readonly role: Role;
  readonly caller: string;
  readonly hold: Hold;
}

export function toQuestion(
  { path, body, role, caller, hold }: Asked,
  { frozen }: Pick<OllamaUpstream, 'frozen'>,
): Omit<Question, 'form'> {
  const text = Buffer.from(asJson(pin(path, body, frozen(role))));
  const { num_predict: answerTokens } = (body['options'] ?? {}) as { num_predict?: number };
  const messages = Array.isArray(body['messages']) ? (body['messages'] as unknown[]) : [];
  return {
    role,
    model: body.model,
    path,
    body: text,
    work: requestWork(text.length, role === 'generate' ? answerTokens : 0),
    beginnings: beginningsOf([body.model, body['tools'] ?? null], messages),
    caller,
    hold,
  };
}
