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
  app.get('/healthz', () => ({ status: 'ok' }));
  app.get('/readyz', (_request, reply) => {
    const { ready, missing } = readiness();
    return reply.code(ready ? 200 : 503).send({ ready, missing });
  });
  app.get('/status', () => state());
}
