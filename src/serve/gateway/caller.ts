import type { FastifyRequest } from 'fastify';

/** Who takes turns with the others: an address, and whom an application there says that it asks for (`user`). */
export function callerOf({ ip, socket }: FastifyRequest, body: object): string {
  const named = 'user' in body ? body.user : undefined;
  const user = typeof named === 'string' ? named.slice(0, 64) : '';
  return `${socket.remoteAddress === undefined ? 'socket' : ip} ${user}`;
}
