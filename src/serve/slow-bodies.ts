/**
 * A request has to come whole in so long, or a few bytes a minute would keep a connection for ever. Node has such a limit for
 * all routes or for none; a large file on its way through a tunnel takes longer.
 */
import type { ServerOptions } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { refuseBytes } from './broken-http.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Its body may take as long as it takes: only who may change documents gets so far. */
    mayBeSlow?: boolean;
  }
}

/** Node's own limits. */
const defaultMs = 300_000;
const defaultHeadMs = 60_000;

/** For a server with no limit on whole requests: Node leaves out this one, too, unless it is named. */
export const limitHeads = (limitMs: number = defaultHeadMs): ServerOptions => ({
  headersTimeout: limitMs,
  connectionsCheckingInterval: Math.min(30_000, limitMs),
});

export function limitBodies(app: FastifyInstance, limitMs: number = defaultMs): void {
  app.addHook('onRequest', async ({ raw, routeOptions }) => {
    if (routeOptions.config.mayBeSlow === true) return;
    const timer = setTimeout(() => {
      if (raw.complete) return;
      const tooSlow = Object.assign(new Error('too slow'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' });
      refuseBytes(tooSlow, raw.socket);
    }, limitMs).unref();
    raw.once('close', () => clearTimeout(timer));
  });
}
