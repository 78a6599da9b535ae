/** The dashboard: `/` for browsers, `/picture` for its news, `/page/` for its parts. `/metrics` for Prometheus. */
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { Shown } from '../../page/dashboard.ts';
import { dashboardDocument } from '../../page/document.ts';
import type { Picture } from '../../page/picture.ts';
import { makePageFiles, pagePath } from './page-files.ts';
import { asLasting, asPrivate } from './page-headers.ts';
import { type Problem, refuse } from '../problem.ts';

/** What the page asks again and again. */
export const picturePath = '/picture';

export interface PageRouteParts {
  /** @param seen what the reader has: without it the picture is whole */
  readonly picture: (seen: string) => Picture;
  /** Prometheus' text format. */
  readonly metrics: () => Promise<string>;
}

/** A person's browser says so; Ollama's clients, curl and probes do not. */
export const wantsPage = (method: string | undefined, path: string, accept: string | undefined): boolean =>
  (method === 'GET' || method === 'HEAD') &&
  path.split('?')[0] === '/' &&
  /\btext\/html\b/i.test(accept ?? '');

/** @param parts undefined: there is no dashboard, `/` says that the endpoint lives */
export function addPageRoutes(app: FastifyInstance, parts: PageRouteParts | undefined): void {
  app.get('/', (request, reply) => {
    if (parts === undefined || !wantsPage(request.method, request.url, request.headers.accept))
      // The first thing that Ollama's own client asks of a server; it wants a 200 and no more.
      return reply.type('text/plain').header('vary', 'Accept').send('rag-allinone is running\n');
    return sendPage(reply, parts.picture(''));
  });
  if (parts === undefined) return;
  app.get<{ Querystring: { seen?: unknown } }>(picturePath, ({ query: { seen } }, reply) =>
    asPrivate(reply).send(parts.picture(typeof seen === 'string' ? seen : '')),
  );
  app.get('/metrics', async (_request, reply) =>
    asPrivate(reply)
      .type('text/plain; version=0.0.4; charset=utf-8')
      .send(await parts.metrics()),
  );
  app.get(`${pagePath}*`, (request, reply) => {
    const file = files().find(request.url.split('?')[0] ?? '');
    if (file === undefined) return refuse(reply, noSuchPart);
    return asLasting(reply).type(file.type).send(file.text);
  });
}

const files = makePageFiles();

const pageOf = (reply: FastifyReply, shown: Shown): FastifyReply =>
  asPrivate(reply).type('text/html; charset=utf-8').send(dashboardDocument(shown, files().parts));

const sendPage = (reply: FastifyReply, picture: Picture): FastifyReply =>
  pageOf(reply, {
    picture,
    connection: { state: 'connecting' },
    asking: { state: 'empty' },
    hears: false,
    now: picture.at,
  });

/** The page without anything of the job: it asks for a token. */
export function refusePage(reply: FastifyReply, { status }: Problem): FastifyReply {
  const why = status === 401 ? 'no-token' : 'url-token';
  return pageOf(reply.code(status), {
    picture: null,
    connection: { state: 'closed', why },
    asking: { state: 'empty' },
    hears: false,
    now: 0,
  });
}

const noSuchPart: Problem = {
  status: 404,
  code: 'not-found',
  message: 'Cannot show this part of the page: it is of another version of the program, reload the page',
};
