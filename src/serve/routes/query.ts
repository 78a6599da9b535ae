/** `POST /query` and `/query/stream`: one question, one cited answer, with LightRAG's main fields beside ours. */
import { PassThrough } from 'node:stream';
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { z } from 'zod';
import type { AnswerRecord, QueryRequest, Work } from '../../work.ts';
import { goneSignal } from '../client-gone.ts';
import { refusePostponed, type WhyPostponed } from '../postponed.ts';
import { type Problem, problemBody, problemOf, refuse } from '../problem.ts';
import { queryBody, type QueryBody } from './query-request.ts';

export interface QueryRouteParts {
  readonly work: Pick<Work, 'query'>;
  readonly defaultTopk: number;
  /** Questions answered or waiting at once; the next one gets 429. */
  readonly maxQuestions: number;
  readonly postponed: WhyPostponed;
}

/** LightRAG's reference: `reference_id` is the number `[n]` in the answer. */
interface Reference {
  readonly reference_id: string;
  readonly file_path: string;
}

export function addQueryRoutes(app: FastifyInstance, parts: QueryRouteParts): void {
  let questions = 0;
  type Handle = (request: QueryRequest, body: QueryBody, reply: FastifyReply) => Promise<unknown>;
  const add = (path: string, handle: Handle): void => {
    app.post(path, async (request, reply) => {
      const body = queryBody.safeParse(request.body);
      if (!body.success) return refuse(reply, unreadable(body.error));
      const why = parts.postponed();
      if (why !== undefined) return refusePostponed(reply, why);
      if (questions >= parts.maxQuestions) return refuse(reply, tooMany(parts.maxQuestions));
      const { query, topk, chunk_top_k, top_k, filter } = body.data;
      const wanted = topk || chunk_top_k || top_k || parts.defaultTopk;
      questions += 1;
      try {
        return await handle(
          { query, topk: wanted, ...(filter && { filter }), signal: goneSignal(reply) },
          body.data,
          reply,
        );
      } finally {
        questions -= 1;
      }
    });
  };
  add('/query', async (request, body) => toAnswer(await parts.work.query(request), body));
  add('/query/stream', (request, _body, reply) => streamAnswer(parts.work, request, reply));
}

function toAnswer(record: AnswerRecord, { include_references }: QueryBody): object {
  const references = record.citations.map(({ n, file }) => toReference(n, file));
  return { ...record, response: record.answer, ...(include_references === false ? {} : { references }) };
}

const toReference = (n: number, file: string): Reference => ({ reference_id: String(n), file_path: file });

/**
 * Lines of JSON: `{"references"}` (the passages of the prompt), `{"response"}` for each piece, at last `{"record"}`.
 * A failure before the first line has its own status; after it, it is a line `{"error"}`.
 */
async function streamAnswer(
  work: Pick<Work, 'query'>,
  request: QueryRequest,
  reply: FastifyReply,
): Promise<void> {
  const lines = new PassThrough();
  let begun = false;
  const write = (line: object): void => {
    if (!begun) void reply.type('application/x-ndjson').send(lines);
    begun = true;
    lines.write(`${JSON.stringify(line)}\n`);
  };
  try {
    const record = await work.query({
      ...request,
      onPassages: (passages) =>
        write({ references: passages.map(({ file }, i) => toReference(i + 1, file)) }),
      onText: (piece) => write({ response: piece }),
    });
    write({ record });
  } catch (error) {
    if (!begun) throw error;
    write(problemBody(problemOf(error)));
  } finally {
    lines.end();
  }
}

const unreadable = (error: z.ZodError): Problem => ({
  status: 422,
  code: 'usage',
  message: `Cannot answer: ${error.issues.map(({ path, message }) => `${path.join('.') || 'the body'}: ${message}`).join('; ')}`,
  hint: 'Send {"query": "your question", "topk": 5}',
});

const tooMany = (limit: number): Problem => ({
  status: 429,
  code: 'busy',
  message: `Cannot answer yet: ${limit} questions are being answered, fewer are wanted`,
  hint: 'Ask again when one of them is answered',
});
