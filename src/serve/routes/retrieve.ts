/**
 * `POST /retrieve`, Search-R1's contract. Its client sets no timeout, looks at no status and reads `result`
 * whatever comes: any other answer kills a training run of days. So this route waits, through restarts of the
 * embedder too, for as long as the client does.
 */
import { Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { codeOf, type ErrorCode } from '../../errors.ts';
import { toDocument, toRetrievedHit } from '../../query/contents.ts';
import type { Hit, RetrieveRequest, Work } from '../../work.ts';
import { goneSignal } from '../client-gone.ts';
import { resultPieces } from '../result-json.ts';
import { problemBody, problemOf } from '../problem.ts';
import { readRetrieveBody } from './retrieve-request.ts';

export interface RetrieveRouteParts {
  readonly work: Pick<Work, 'retrieve'>;
  readonly defaultTopk: number;
  /** Told each time a retrieval has to wait. */
  readonly onWait: (error: unknown) => void;
}

/** The longest text that V8 can hold: there is no smaller limit, since a 413 is not in the contract. */
const MAX_BODY_BYTES = 2 ** 29 - 24;

export function addRetrieveRoutes(app: FastifyInstance, parts: RetrieveRouteParts): void {
  const options = {
    bodyLimit: MAX_BODY_BYTES,
    errorHandler(error: unknown, _request: FastifyRequest, reply: FastifyReply) {
      const problem = problemOf(error);
      const { status, code, message } = problem;
      if (status !== 400 && status !== 422) throw error; // to the endpoint's own handler
      const type = status === 400 ? 'json_invalid' : code;
      return reply.code(422).send({
        detail: [{ type, loc: ['body'], msg: message }],
        ...(status === 422 && problemBody(problem)),
      });
    },
  };
  for (const path of ['/retrieve', '/search', '/batch_search'])
    app.post(path, options, async (request, reply) => {
      const body = readRetrieveBody(request.body, parts.defaultTopk);
      if ('detail' in body) return reply.code(422).send(body);
      if (body.queries.length === 0) return { result: [] };
      const { queries, topk, rerank, candidates, filter } = body;
      const signal = goneSignal(reply);
      const lists = await untilRetrieved(parts, {
        queries,
        topk,
        rerank,
        ...(filter.length > 0 && { filter }),
        ...(candidates === undefined ? {} : { candidates }),
        signal,
      });
      const shown = body.withScores ? toRetrievedHit : toDocument;
      const pieces = await resultPieces<Hit>(lists, shown, signal);
      const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
      reply.type('application/json; charset=utf-8').header('content-length', length);
      return reply.send(pieces.length <= fewPieces ? Buffer.concat(pieces) : Readable.from(pieces));
    });
}

/** Those of a question or two: a stream would cost them more than a copy. */
const fewPieces = 64;

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5000;

/** The first two are restarts; the others the end of the job, whose endpoint closes in a moment. */
const waitable: readonly ErrorCode[] = ['model-unavailable', 'service-failed', 'aborted', 'stopped'];

/** Whether a retrieval that ends so is tried again. */
export const canWait = (error: unknown): boolean => {
  const code = codeOf(error);
  return code !== undefined && waitable.includes(code);
};

/**
 * Tries again while what failed can come back. What cannot come back ends the job, and with it the connection: until
 * then nothing is said, because an answer of another shape is read as if it were the right one.
 */
async function untilRetrieved(
  { work, onWait }: RetrieveRouteParts,
  request: RetrieveRequest,
): Promise<Hit[][]> {
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
    try {
      return await work.retrieve(request);
    } catch (error) {
      if (request.signal.aborted || !canWait(error)) throw error;
      onWait(error);
      await pause(pauseMs, undefined, { signal: request.signal });
    }
  }
}
