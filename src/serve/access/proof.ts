/**
 * How a client knows that it talks to the supervisor whose tokens it can read, before it shows one: a port may have
 * passed to another program since the address was written down.
 */
import type { FastifyInstance } from 'fastify';
import { nameOfEnd, proofOf } from '../../disk/token-proof.ts';
import { type Problem, refuse } from '../problem.ts';
import type { Tokens } from './tokens.ts';

/** Long enough that no two clients ask the same, short enough that nobody has us hash his files. */
const wellFormed = /^[0-9a-f]{32,128}$/;

/** Open to everybody: without the token nothing can be learnt of it. */
export function addProofRoute(app: FastifyInstance, tokens: Tokens | undefined): void {
  app.get<{ Querystring: { nonce?: string } }>('/proof', ({ query: { nonce = '' }, socket }, reply) => {
    if (tokens === undefined || !wellFormed.test(nonce)) return refuse(reply, unprovable);
    const { localAddress = '', localPort = 0 } = socket;
    return { proof: proofOf(tokens.header, nonce, nameOfEnd(localAddress, localPort)) };
  });
}

const unprovable: Problem = {
  status: 400,
  code: 'bad-request',
  message: 'Cannot prove anything: a service with tokens and a nonce of 32 to 128 hex digits are wanted',
};
