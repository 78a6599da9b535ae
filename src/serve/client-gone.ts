import type { FastifyReply } from 'fastify';

/**
 * Aborts when the connection closes before the answer is out, because the client left or the endpoint ends.
 * Of the response, not of the request: a request closes as soon as its body is read.
 */
export function goneSignal({ raw }: FastifyReply): AbortSignal {
  const gone = new AbortController();
  const leave = (): void => {
    if (!raw.writableFinished) gone.abort();
  };
  if (raw.destroyed || raw.socket?.destroyed === true) leave();
  else raw.once('close', leave);
  return gone.signal;
}
