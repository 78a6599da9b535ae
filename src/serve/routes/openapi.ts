import type { FastifyInstance } from 'fastify';
import { version } from '../../version.ts';
import { openApiDocument } from '../contract/document.ts';

/** `GET /openapi.json`: made when somebody asks for the first time. */
export function addOpenApiRoute(app: FastifyInstance): void {
  let document: string | undefined;
  app.get('/openapi.json', (_request, reply) => {
    document ??= JSON.stringify(openApiDocument(version()));
    return reply.type('application/json; charset=utf-8').send(document);
  });
}
