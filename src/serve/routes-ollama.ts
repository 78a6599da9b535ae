/**
 * Ollama's own API and its OpenAI-compatible one, passed through to the instances of this job. What would
 * change the model store, or load other models than those the job was planned for, is refused.
 */
import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { RagError } from '../errors.ts';
import { openConnections, type Connections, type Way } from '../models/address.ts';
import type { Flight } from '../models/flights.ts';
import { goneSignal } from './client-gone.ts';
import { direct, rolesOf, withoutOllama, type OllamaUpstream } from './ollama-body.ts';
import { refusePostponed, type WhyPostponed } from './postponed.ts';
import { type Problem, refuse } from './problem.ts';

/** Answered without the model: says nothing about whether that hangs. */
const describing = '/api/show';

const asking = [
  '/api/chat',
  '/api/generate',
  '/api/embed',
  '/api/embeddings',
  describing,
  '/v1/chat/completions',
  '/v1/completions',
  '/v1/embeddings',
];

/** Those of them that only a generator can answer. */
const generating = ['/api/chat', '/api/generate', '/v1/chat/completions', '/v1/completions'];

const listing = ['/api/tags', '/api/ps'];

const refused = ['pull', 'push', 'create', 'copy', 'delete', 'blobs/*'];

/** Prompts with images are large; a body is held in memory, because the model it names decides where it goes. */
const MAX_BODY_BYTES = 256 * 2 ** 20;

/** Loading a model takes longer than undici's own limits (300 s each); the client's patience is the limit. */
const open = (): Connections => openConnections({ headersTimeout: 0, bodyTimeout: 0 });

export function addOllamaRoutes(
  app: FastifyInstance,
  upstream: OllamaUpstream,
  postponed: WhyPostponed,
): void {
  const connections = open();
  app.addHook('onClose', () => connections[Symbol.asyncDispose]());
  void app.register((scope, _options, done) => {
    // The bytes as they came: only here the body goes on to another server.
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, ready) =>
      ready(null, body),
    );
    for (const path of asking)
      scope.post<{ Body: Buffer }>(path, { bodyLimit: MAX_BODY_BYTES }, async ({ body }, reply) => {
        const why = generating.includes(path) ? postponed() : undefined;
        if (why !== undefined) return refusePostponed(reply, why);
        const { url, body: pinned } = direct(path, body ?? Buffer.alloc(0), upstream);
        const gone = goneSignal(reply);
        const flight = path === describing ? null : await upstream.flights.begin(url, 'shared', gone);
        return passThrough(connections.to(url), { path, body: pinned, flight, gone }, reply);
      });
    done();
  });
  for (const path of listing)
    app.get(path, async (_request, reply) => ({
      models: await merged(connections, upstream, path, goneSignal(reply)),
    }));
  for (const path of ['/api/version', '/v1/models'])
    app.get(path, (_request, reply) => {
      const [url = ''] = liveUrls(upstream);
      return passThrough(connections.to(url), { path, flight: null, gone: goneSignal(reply) }, reply);
    });
  for (const name of refused) {
    const problem = modelsAreFixed(name.split('/')[0] ?? '');
    // Before the body is read: a blob may be gigabytes.
    app.all(
      `/api/${name}`,
      { onRequest: async (_request, reply) => void (await refuse(reply, problem)) },
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

interface Passed {
  readonly path: string;
  readonly body?: Buffer;
  readonly flight: Flight | null;
  /** Aborted when the client leaves. */
  readonly gone: AbortSignal;
}

/** Streams the answer as it comes. A client that leaves cancels the request, which ends the model's work. */
async function passThrough(
  { origin, dispatcher }: Way,
  { path, body, flight, gone }: Passed,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const sent = dispatcher.request({
    origin,
    path,
    method: body === undefined ? 'GET' : 'POST',
    ...(body === undefined ? {} : { body, headers: { 'content-type': 'application/json' } }),
    signal: flight === null ? gone : AbortSignal.any([gone, flight.signal]),
  });
  const answer = await sent.catch((cause: unknown) => {
    flight?.[Symbol.dispose]();
    gone.throwIfAborted();
    throw new RagError(
      'model-unavailable',
      'Cannot pass the request on: the model server does not answer, a running one is wanted',
      {
        hint: 'Ask /readyz when it is',
        cause,
      },
    );
  });
  const type = answer.headers['content-type'] ?? 'application/json';
  reply.code(answer.statusCode).type(String(type));
  if (flight === null) return reply.send(answer.body);
  // However it ends: read to its end, cut, or left by a client before anybody read of it.
  answer.body.once('close', () => flight[Symbol.dispose]());
  const what = answer.statusCode === 200 ? 'answer' : 'refusal';
  return reply.send(Readable.from(heard(answer.body, flight, what), { objectMode: false }));
}

async function* heard(
  body: AsyncIterable<Buffer>,
  flight: Flight,
  what: 'answer' | 'refusal',
): AsyncGenerator<Buffer, void> {
  for await (const piece of body) {
    flight.heard(what);
    yield piece;
  }
}

interface Model {
  readonly name: string;
}

/** The models of all instances, each once. An instance that does not answer has none to show. */
async function merged(
  connections: Connections,
  upstream: OllamaUpstream,
  path: string,
  signal: AbortSignal,
): Promise<Model[]> {
  const lists = await Promise.allSettled(
    liveUrls(upstream).map(async (url) => {
      const { origin, dispatcher } = connections.to(url);
      const { body } = await dispatcher.request({ origin, path, method: 'GET', signal });
      return ((await body.json()) as { models?: Model[] | null }).models ?? [];
    }),
  );
  const models = lists.flatMap((list) => (list.status === 'fulfilled' ? list.value : []));
  return [...new Map(models.map((model) => [model.name, model])).values()];
}

function liveUrls(upstream: OllamaUpstream): string[] {
  const roles = rolesOf(upstream);
  const urls = roles.flatMap((role) => upstream.current(role)?.url ?? []);
  if (urls.length > 0) return [...new Set(urls)];
  if (roles.length === 0) throw withoutOllama('Cannot ask the model servers');
  throw new RagError('model-unavailable', 'Cannot ask the model servers: none is up, a ready one is wanted', {
    hint: 'Ask /readyz when one is',
  });
}
