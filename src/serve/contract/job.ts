/** What the job says of itself. */
import { z } from 'zod';
import { answer, json, problem, text, type RouteContract } from './route.ts';
import { status } from './status.ts';

const look: Pick<RouteContract, 'method' | 'group' | 'who'> = { method: 'GET', group: 'job', who: 'models' };

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
    summary: 'That it is there.',
    answers: { 200: answer('It is there.', text('rag-allinone is running\n')) },
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
