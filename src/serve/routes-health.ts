import type { FastifyInstance } from 'fastify';

export interface HealthParts {
  /** The job's state, as `status --json` shows it. */
  readonly state: () => object;
  readonly readiness: () => Readiness;
}

/** Ready: every component that the job needs has answered a real probe. */
export interface Readiness {
  readonly ready: boolean;
  readonly missing: readonly string[];
}

export function addHealthRoutes(app: FastifyInstance, { state, readiness }: HealthParts): void {
  // The first thing that Ollama's own client asks of a server; it wants a 200 and no more.
  app.get('/', (_request, reply) => reply.type('text/plain').send('rag-allinone is running\n'));
  app.get('/healthz', () => ({ status: 'ok' }));
  app.get('/readyz', (_request, reply) => {
    const { ready, missing } = readiness();
    return reply.code(ready ? 200 : 503).send({ ready, missing });
  });
  app.get('/status', () => state());
}
