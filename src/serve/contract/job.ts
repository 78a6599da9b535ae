/** What the job says of itself. */
import { z } from 'zod';
import { answer, type Content, errorSchema, json, problem, text, type RouteContract } from './route.ts';
import { status } from './status.ts';

const look: Pick<RouteContract, 'method' | 'group' | 'who'> = { method: 'GET', group: 'job', who: 'models' };

const page: Content = { type: 'text/html', schema: z.string() };

const readiness = z.object({
  ready: z.boolean(),
  missing: z.array(z.string()).describe('The services that are waited for.'),
});

const nonce = z
  .string()
  .regex(/^[0-9a-f]{32,128}$/)
  .describe('Chosen anew by the client each time.');

export const jobRoutes: readonly RouteContract[] = [
  {
    ...look,
    path: '/',
    summary: 'That it is there; the dashboard, for browsers.',
    about:
      'Who accepts `text/html` gets the dashboard, which is for the owner and the header token alone: others get a page that asks for the token, with 401 or 403.',
    answers: {
      200: answer('It is there.', text('rag-allinone is running\n'), page),
      401: answer('The caller is not the owner on this node and shows no token.', json(errorSchema), page),
      403: answer(
        'The token of an address opens no dashboard; or a web page of another address asks.',
        json(errorSchema),
        page,
      ),
    },
  },
  {
    ...look,
    path: '/picture',
    who: 'everything',
    summary:
      'What the dashboard shows: services, GPUs, progress, what was measured over time. It may change with any version; for programs there are /status and /metrics.',
    query: z.object({
      seen: z
        .string()
        .optional()
        .describe('`seen` of the picture that the caller has: `series` is null while it is the same.'),
    }),
    answers: { 200: answer('The picture.', json(z.looseObject({ at: z.number(), seen: z.string() }))) },
  },
  {
    ...look,
    path: '/page/*',
    who: 'anyone',
    summary:
      'The parts of the dashboard: scripts and style, the same for every job. Their addresses change with their content.',
    params: z.object({ '*': z.string() }),
    answers: {
      200: answer(
        'The part.',
        { type: 'text/javascript', schema: z.string() },
        { type: 'text/css', schema: z.string() },
      ),
      404: problem('There is no such part in this version of the program.'),
    },
  },
  {
    ...look,
    path: '/metrics',
    who: 'everything',
    summary:
      "What Prometheus asks for: counters since the start of the run, in Prometheus' text format 0.0.4.",
    answers: {
      200: answer(
        'The metrics.',
        text('# TYPE rag_service_ready gauge\nrag_service_ready{service="store"} 1\n'),
      ),
    },
  },
  {
    ...look,
    path: '/healthz',
    summary: 'Whether the supervisor lives.',
    answers: { 200: answer('It lives.', json(z.object({ status: z.literal('ok') }))) },
  },
  {
    ...look,
    path: '/readyz',
    summary: 'Whether every service of the job has answered a real request.',
    answers: {
      200: answer('All have.', json(readiness, { ready: true, missing: [] })),
      503: answer('Not yet, or not now.', json(readiness, { ready: false, missing: ['ollama-generate'] })),
    },
  },
  {
    ...look,
    path: '/status',
    who: 'everything',
    summary: 'Services, GPUs, restarts, progress.',
    answers: { 200: answer('The state of the supervisor.', json(status)) },
  },
  {
    ...look,
    path: '/proof',
    who: 'anyone',
    summary: 'That this is the supervisor whose token a client can read.',
    about:
      'A port may have passed to another program since its address was written down. The proof is an HMAC of the nonce and the address of the connection, with the header token as its key; without the token nothing can be learnt of it.',
    query: z.object({ nonce }),
    answers: {
      200: answer('The proof.', json(z.object({ proof: z.string() }))),
      400: problem('The nonce is not what is wanted, or there are no tokens.'),
    },
  },
  {
    ...look,
    path: '/openapi.json',
    summary: 'This description, as OpenAPI 3.1.',
    answers: { 200: answer('The document.', json(z.looseObject({ openapi: z.string() }))) },
  },
];
