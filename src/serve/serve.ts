import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { createServer, type RequestListener, type Server } from 'node:http';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { messageOf, RagError } from '../errors.ts';
import { mostOpenFiles } from '../machine/open-files.ts';
import type { Work } from '../work.ts';
import { refuseBrokenHttp, refuseBytes } from './broken-http.ts';
import { openGateway, type GatewayLimits } from './gateway/gateway.ts';
import { makeBudget } from './gateway/held-bodies.ts';
import type { Instances } from './gateway/places.ts';
import type { WhyPostponed } from './postponed.ts';
import { fewAtOnce } from './pipelining.ts';
import { type Problem, problemOf, refuse } from './problem.ts';
import { addDocumentRoutes } from './routes/documents.ts';
import { addHealthRoutes, type HealthParts } from './routes/health.ts';
import { addIngestRoutes, type IngestRouteParts } from './routes/ingest.ts';
import { addOllamaRoutes, type OllamaUpstream } from './routes/ollama.ts';
import { addOpenaiRoutes } from './routes/openai.ts';
import { addOpenApiRoute } from './routes/openapi.ts';
import { addPageRoutes, type PageRouteParts } from './routes/page.ts';
import { addQueryRoutes } from './routes/query.ts';
import { addRerankRoutes, type Reranker } from './routes/rerank.ts';
import { addRetrieveRoutes } from './routes/retrieve.ts';
import { addUploadRoutes, formPath, type UploadRouteParts } from './routes/upload.ts';
import { limitBodies, limitHeads } from './slow-bodies.ts';
import { listenOnSocket } from './unix-socket.ts';
import { addStopwatch, type Served } from './stopwatch.ts';
import { makeTokenGate, type Tokens } from './access/tokens.ts';
import { addProofRoute } from './access/proof.ts';
import { makeWhoMay } from './access/who-may.ts';

export type EndpointEvent =
  | { readonly kind: 'refused'; readonly problem: Problem }
  | { readonly kind: 'waiting'; readonly error: unknown }
  /** An answer with a status of 500 or more. */
  | { readonly kind: 'failed'; readonly route: string; readonly error: unknown };

export interface EndpointOptions extends HealthParts {
  readonly work: Pick<Work, 'retrieve' | 'query'>;
  readonly ollama: OllamaUpstream & Instances & { readonly limits?: GatewayLimits };
  /** Undefined: the job has none. */
  readonly reranker?: Reranker | undefined;
  /** An address of this node, beside which it also listens on 127.0.0.1; 0 as port: a free one. */
  readonly host: string;
  readonly port: number;
  /** In a folder of its own, which becomes 0700; null: no Unix socket. */
  readonly socketPath: string | null;
  readonly ownerUid: number;
  /** What opens the endpoint to others; undefined: nothing does. */
  readonly tokens?: Tokens;
  /** Asked before anything is generated. */
  readonly postponed?: WhyPostponed;
  /** What the dashboard shows, and Prometheus reads; undefined: there is neither. */
  readonly page?: PageRouteParts;
  /** Told of every request that is over. */
  readonly onServed?: (served: Served) => void;
  readonly defaultTopk: number;
  readonly maxQuestions?: number;
  /** Over TCP; default: half of what this process may have open. Others of this node may open as many as they like. */
  readonly maxConnections?: number;
  /** For requests that wait for a model server, and answers that wait for a slow client. Default: 512 MiB. */
  readonly heldBytes?: number;
  /** In which a request comes whole; uploads take as long as they take. Default: 300 s. */
  readonly bodyMs?: number;
  /** In which its head comes, or a first one at all: before it nobody knows who asks. Default: 60 s. */
  readonly headMs?: number;
  /** Lists, takes and removes documents. */
  readonly documents?: UploadRouteParts & IngestRouteParts;
  readonly onEvent?: (event: EndpointEvent) => void;
}

export interface Endpoint extends AsyncDisposable {
  readonly url: string;
  readonly host: string;
  readonly port: number;
  readonly socketPath: string | null;
}

/**
 * The job's HTTP endpoint, on a TCP port and a Unix socket. Disposing cuts what is still being answered: whoever
 * wants it answered drains first.
 *
 * @throws settings when the address or the socket cannot be had
 */
export async function openEndpoint(options: EndpointOptions): Promise<Endpoint> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await openOnce(options);
    } catch (error) {
      // The port that the kernel chose on one address is another program's on the other.
      const isChosen = options.port === 0 && isTaken(error);
      if (!isChosen || tries === MOST_CHOICES) throw error;
    }
  }
}

const MOST_CHOICES = 10;

const isTaken = (error: unknown): boolean =>
  error instanceof RagError && (error.cause as NodeJS.ErrnoException | undefined)?.code === 'EADDRINUSE';

async function openOnce(options: EndpointOptions): Promise<Endpoint> {
  const { host, port, socketPath } = options;
  // By the server that accepted it: a TCP peer that has gone again has no address either.
  const overUnixSocket = new WeakSet<Socket>();
  const app = makeApp(options, (socket) => overUnixSocket.has(socket));
  // Fastify refuses a second listen, so the Unix socket and loopback have servers of their own before the same routes.
  const before = (): Server =>
    makeServer(app.routing.bind(app), options.headMs).on('clientError', refuseBytes);
  const [socketServer, loopbackServer] = [before(), before()];
  for (const server of [app.server, socketServer, loopbackServer]) refuseBrokenHttp(server);
  socketServer.on('connection', (socket) => overUnixSocket.add(socket));
  const { maxConnections = Math.floor(mostOpenFiles() / 2) } = options;
  const overTcp = isLoopback(host) ? [app.server] : [app.server, loopbackServer];
  if (Number.isFinite(maxConnections))
    for (const server of overTcp) server.maxConnections = Math.ceil(maxConnections / overTcp.length);
  try {
    await app.listen({ host, port }).catch((cause: unknown) => {
      throw cannotListen(host, port, cause);
    });
    if (!isLoopback(host)) await listenOnLoopback(loopbackServer, boundPort(app.server, port));
    if (socketPath !== null) await listenOnSocket(socketServer, socketPath);
  } catch (error) {
    await Promise.all([closeServer(loopbackServer), app.close()]);
    throw error;
  }
  const bound = boundPort(app.server, port);
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${bound}`,
    host,
    port: bound,
    socketPath,
    async [Symbol.asyncDispose]() {
      await Promise.all([closeServer(socketServer), closeServer(loopbackServer), app.close()]);
    },
  };
}

/** Longer than clients keep an idle connection (60 s and less): the side that closes first must not be ours. */
const KEEP_ALIVE_MS = 72_000;

/**
 * Requests take as long as they take (see slow-bodies.ts), their heads do not. Those without a Host are for who-may: Node would
 * answer them itself, and count none of them.
 */
const makeServer = (listener: RequestListener, headMs?: number): Server =>
  createServer(
    {
      keepAliveTimeout: KEEP_ALIVE_MS,
      requestTimeout: 0,
      requireHostHeader: false,
      ...limitHeads(headMs),
    },
    fewAtOnce(listener),
  );

/** What Fastify finds wrong before there is a route, like a path that cannot be decoded. */
const frameworkErrors = (error: unknown, _request: FastifyRequest, reply: FastifyReply): void => {
  void refuse(reply, problemOf(error));
};

/** Bodies are read with zod. Fastify's own compilers would be loaded all the same, 0.1 s of every start. */
const noSchemas = {
  buildValidator: () => (): never => assert.fail('no route has a schema of Fastify'),
  buildSerializer: () => (): never => assert.fail('no route has a schema of Fastify'),
};

function makeApp(options: EndpointOptions, isUnixSocket: (socket: Socket) => boolean): FastifyInstance {
  const { work, defaultTopk, maxQuestions = 64, onEvent = () => undefined } = options;
  const { postponed = () => undefined } = options;
  // Connections are cut at the end: a client of /retrieve holds its own for as long as it lives.
  const gate = makeTokenGate(options.tokens);
  const app = fastify({
    logger: false,
    rewriteUrl: (request) => gate.rewriteUrl(request),
    forceCloseConnections: true,
    serverFactory: (listener) => makeServer(listener, options.headMs),
    frameworkErrors,
    schemaController: { compilersFactory: noSchemas },
    clientErrorHandler: refuseBytes,
  });
  app.removeContentTypeParser('text/plain');
  if (options.onServed !== undefined) addStopwatch(app, options.onServed);
  app.addHook(
    'onRequest',
    makeWhoMay(options.ownerUid, isUnixSocket, gate, (problem) => onEvent({ kind: 'refused', problem })),
  );
  // Whatever an answer says, it is what its type says.
  app.addHook('onRequest', async (_request, reply) => void reply.header('x-content-type-options', 'nosniff'));
  limitBodies(app, options.bodyMs);
  app.addHook('preParsing', async ({ method, headers, routeOptions }, reply) => {
    const { anyType = false } = routeOptions.config;
    if (method !== 'POST' || anyType || isJson(headers['content-type'])) return;
    if (routeOptions.url !== formPath || !isForm(headers['content-type'])) await refuse(reply, wantsJson);
  });
  app.setErrorHandler((error, request, reply) => {
    const problem = problemOf(error);
    const heard = !reply.raw.destroyed; // else the client left, and its work was cancelled
    if (heard && problem.status >= 500)
      onEvent({ kind: 'failed', route: request.routeOptions.url ?? '', error });
    return refuse(reply, problem);
  });
  app.setNotFoundHandler(({ method, url }, reply) => refuse(reply, notFound(method, url)));
  addRerankRoutes(app, options.reranker);
  const budget = makeBudget(options.heldBytes ?? HELD_BYTES);
  const gateway = openGateway(options.ollama, budget, options.ollama.limits);
  app.addHook('onClose', () => gateway[Symbol.asyncDispose]());
  addHealthRoutes(app, { ...options, state: () => ({ ...options.state(), gateway: gateway.figures() }) });
  addPageRoutes(app, options.page);
  addProofRoute(app, options.tokens);
  addOpenApiRoute(app);
  addRetrieveRoutes(app, { work, defaultTopk, onWait: (error) => onEvent({ kind: 'waiting', error }) });
  addQueryRoutes(app, { work, defaultTopk, maxQuestions, postponed });
  const ollama = {
    upstream: options.ollama,
    gateway,
    budget,
    postponed,
  };
  addOllamaRoutes(app, ollama);
  addOpenaiRoutes(app, ollama);
  if (options.documents !== undefined) {
    addDocumentRoutes(app, options.documents);
    addUploadRoutes(app, options.documents);
    addIngestRoutes(app, options.documents);
  }
  return app;
}

const HELD_BYTES = 512 * 2 ** 20;

/** Also a wall before the owner's browser: no web form can send this type. */
const isJson = (type: string | undefined): boolean => /^application\/json\s*(?:;|$)/iu.test(type ?? '');

/** A web form sends this too; but whatever a browser sends by POST has an Origin. */
const isForm = (type: string | undefined): boolean => /^multipart\/form-data\s*;/iu.test(type ?? '');

const wantsJson: Problem = {
  status: 415,
  code: 'unsupported-media-type',
  message: 'Cannot read the request: its type is not JSON, Content-Type: application/json is wanted',
  hint: "curl -H 'Content-Type: application/json' -d '{...}'",
};

const notFound = (method: string, url: string): Problem => ({
  status: 404,
  code: 'not-found',
  message: `Cannot ${method} ${url.split('?')[0]}: there is no such route`,
  hint: 'POST /retrieve, /query, /query/stream, /rerank, /api/chat, /v1/chat/completions; GET /healthz, /readyz, /status',
});

const isLoopback = (host: string): boolean => /^(?:127\.|localhost$|::1$)/.test(host);

/** Programs of this node go on using the address that they know. */
const listenOnLoopback = (server: Server, port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', (cause) => reject(cannotListen('127.0.0.1', port, cause)));
    server.listen({ host: '127.0.0.1', port }, resolve);
  });

function boundPort(server: Server, asked: number): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : asked;
}

async function closeServer(server: Server): Promise<void> {
  if (!server.listening) return;
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeAllConnections();
  await closed;
}

const cannotListen = (host: string, port: number, cause: unknown): RagError =>
  new RagError(
    'settings',
    `Cannot listen on ${host}:${port}: ${messageOf(cause)}, a free port of this node is wanted`,
    {
      hint: 'RAG_PORT=0 chooses one',
      cause,
    },
  );
