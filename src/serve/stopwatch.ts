/** How long every answer takes, until its last byte is handed over. */
import type { FastifyInstance } from 'fastify';

export interface Served {
  /** The pattern of the route, never the address: that may have a token in it. `none`: there is no such route. */
  readonly route: string;
  readonly method: string;
  /** `left`: the client went before the end. */
  readonly status: number | 'left';
  readonly seconds: number;
}

/** @param onServed called once for each request, also for those that are refused */
export function addStopwatch(app: FastifyInstance, onServed: (served: Served) => void): void {
  app.addHook('onRequest', (request, reply, done) => {
    const started = performance.now();
    const { method, routeOptions } = request;
    reply.raw.once('close', () =>
      onServed({
        route: routeOptions.url ?? 'none',
        method: knownMethods.has(method) ? method : 'other',
        status: reply.raw.writableFinished ? reply.raw.statusCode : 'left',
        seconds: (performance.now() - started) / 1000,
      }),
    );
    done();
  });
}

/** A method is a word of the client's choice. */
const knownMethods: ReadonlySet<string> = new Set([
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'DELETE',
  'OPTIONS',
  'PATCH',
]);
