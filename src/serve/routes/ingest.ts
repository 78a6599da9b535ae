/**
 * `POST /ingest`: what a client wants ingested, told of line by line. The work goes on when the client leaves; the same id
 * again is the same ingest. Paths make this process read files: that is for its owner alone.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { isSeenAlike, type sightSchema } from '../../disk/sight.ts';
import type { IngestOrders, OrderState, OrderView } from '../../library.ts';
import { goneSignal } from '../client-gone.ts';
import { type Problem, problemBody, refuse, unreadable } from '../problem.ts';
import type { DocumentRouteParts } from './documents.ts';
import { ingestBodySchema, type ingestLineSchema } from './ingest-request.ts';
import { whoAsks } from '../access/who-may.ts';

export interface IngestRouteParts extends Pick<DocumentRouteParts, 'frozen'> {
  readonly orders: IngestOrders;
  /** The token of a header may be another user's of the group. */
  readonly isShared: boolean;
}

/** 100,000 files with their names. */
const maxBodyBytes = 64 * 2 ** 20;

export function addIngestRoutes(app: FastifyInstance, { orders, frozen, isShared }: IngestRouteParts): void {
  app.post('/ingest', { bodyLimit: maxBodyBytes }, async (request, reply) => {
    if (frozen !== undefined) throw frozen;
    const asked = ingestBodySchema.safeParse(request.body);
    if (!asked.success) return refuse(reply, unreadable(asked.error, ingestHint));
    const { paths, files } = asked.data;
    if ((paths === undefined) === (files === undefined)) return refuse(reply, oneOfBoth);
    if (paths !== undefined && !mayNamePaths(request, isShared)) return refuse(reply, notTheOwner);
    const known = orders.find(asked.data.id);
    const elsewhere =
      known === undefined && paths !== undefined ? await seenOtherwise(paths.sight) : undefined;
    if (elsewhere !== undefined) return refuse(reply, otherFiles(elsewhere));
    const order = await orders.place({
      id: asked.data.id,
      ...(paths && {
        paths: {
          inputs: paths.inputs,
          from: paths.from,
          rehash: paths.rehash === true,
          prune: paths.prune === true,
        },
      }),
      ...(files && {
        files: files.map(({ title, ...file }) => ({ ...file, ...(title != null && { title }) })),
      }),
    });
    return follow(order, reply);
  });
  app.get<{ Params: { id: string } }>('/ingest/:id', async ({ params }, reply) => {
    const order = orders.find(params.id);
    return order === undefined ? refuse(reply, unknown(params.id)) : follow(order, reply);
  });
  app.delete<{ Params: { id: string } }>('/ingest/:id', async ({ params }, reply) => {
    const order = orders.find(params.id);
    if (order === undefined) return refuse(reply, unknown(params.id));
    order.cancel();
    return follow(order, reply);
  });
}

const mayNamePaths = (request: FastifyRequest, isShared: boolean): boolean => {
  const { isOwner, grant } = whoAsks(request);
  return isOwner || (grant === 'everything' && !isShared);
};

/** @returns the first path at which something else stands here */
async function seenOtherwise(sight: readonly z.infer<typeof sightSchema>[]): Promise<string | undefined> {
  for (const one of sight) if (!(await isSeenAlike(one))) return one.path;
  return undefined;
}

/** Between two lines of progress; in silence one comes all the same, so that a dead connection is told from a slow ingest. */
const leastGapMs = 500;
const longestGapMs = 15_000;
const lookEveryMs = 100;

const follow = (order: OrderView, reply: FastifyReply): FastifyReply =>
  reply
    .type('application/x-ndjson')
    .send(Readable.from(linesOf(order, goneSignal(reply)), { objectMode: false }));

async function* linesOf(order: OrderView, gone: AbortSignal): AsyncGenerator<string> {
  using listening = order.listen();
  void listening;
  for (;;) {
    const told = order.current();
    yield `${JSON.stringify(lineOf(order.id, told))}\n`;
    if (isLast(told)) return;
    for (let waited = lookEveryMs; ; waited += lookEveryMs) {
      await pause(lookEveryMs, undefined, { signal: gone }).catch(() => undefined);
      if (gone.aborted) return;
      const now = order.current();
      if (isLast(now) || (now !== told && waited >= leastGapMs) || waited >= longestGapMs) break;
    }
  }
}

const isLast = ({ state }: OrderState): boolean => state === 'done' || state === 'failed';

function lineOf(order: string, state: OrderState): z.infer<typeof ingestLineSchema> | object {
  if (state.state === 'done') return { report: state.report };
  if (state.state === 'failed') return problemBody({ status: 0, ...state.error });
  if (state.state === 'running' && state.progress !== null) return { progress: state.progress };
  return { ingest: { id: order, state: state.state } };
}

const ingestHint =
  'Send {"id": "<uuid>", "files": [{"name", "hash", "bytes"}]}, or {"id", "paths": {"inputs", "from", "sight"}}';

const oneOfBoth: Problem = {
  status: 422,
  code: 'usage',
  message: 'Cannot ingest: either paths or files are wanted',
  hint: ingestHint,
};

const notTheOwner: Problem = {
  status: 403,
  code: 'forbidden',
  message:
    'Cannot ingest paths for this caller: they are read as the owner of the job reads them, who alone may name them',
  hint: 'Send the files: POST /documents/upload',
};

const otherFiles = (path: string): Problem => ({
  status: 409,
  code: 'other-files',
  message: `Cannot ingest in place: ${path} is not here what it is where the client runs, a disk that both see is wanted`,
  hint: 'Send the files: POST /documents/upload',
});

const unknown = (order: string): Problem => ({
  status: 404,
  code: 'not-found',
  message: `Cannot find the ingest ${JSON.stringify(order.slice(0, 64))}: this supervisor has not begun it, or long since ended it`,
});
