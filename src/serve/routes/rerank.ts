/** The reranker of this job for other programs, in the words of Jina's and Cohere's services. */
import { randomBytes } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { codeOf, messageOf } from '../../errors.ts';
import type { Rerank } from '../../models/types.ts';
import { callerOf } from '../gateway/caller.ts';
import { goneSignal } from '../client-gone.ts';
import { type Problem, refusal } from '../problem.ts';
import { makeFairTurns, type Turns } from '../gateway/turns.ts';

export interface Reranker {
  readonly rerank: Rerank;
  /** Its name; `lexical` is none: it compares words. */
  readonly model: string;
}

/** As many as Cohere takes. A list goes to the reranker as a whole: one without a model compares within it. */
const mostDocuments = 1000;
const mostBytes = 32 * 2 ** 20;

/** Questions of this job wait behind these: so few lists at once. */
const atOnce = 2;
const mostWaiting = 64;

const document = z.union([z.string(), z.looseObject({ text: z.string() })]);

/** `model` and all other fields have no effect: a job has one reranker. */
export const rerankBody = z.looseObject({
  query: z.string().refine((query) => query.trim() !== '', 'Too small: a question is wanted'),
  documents: z.array(document).max(mostDocuments, `Too big: at most ${mostDocuments} documents are wanted`),
  top_n: z.int().positive().nullish(),
  return_documents: z.boolean().nullish(),
  user: z.string().nullish(),
});

/** The best first. Scores from 0 to 1; tokens are estimated. */
export const rerankAnswer = z.object({
  id: z.string(),
  object: z.literal('list'),
  model: z.string(),
  results: z.array(
    z.object({
      index: z.number(),
      relevance_score: z.number(),
      document: z.object({ text: z.string() }).optional(),
    }),
  ),
  usage: z.object({ prompt_tokens: z.number(), total_tokens: z.number() }),
});

type Body = z.infer<typeof rerankBody>;

export function addRerankRoutes(app: FastifyInstance, reranker: Reranker | undefined): void {
  const turns = makeFairTurns(atOnce, mostWaiting, tooMany);
  for (const path of ['/rerank', '/v1/rerank', '/v2/rerank'])
    app.post(path, { bodyLimit: mostBytes }, async (request, reply) => {
      const body = rerankBody.safeParse(request.body);
      if (!body.success) throw refusal(unreadable(body.error));
      if (reranker === undefined) throw refusal(noReranker);
      return await answer(body.data, { reranker, turns, request, reply });
    });
}

interface Asked {
  readonly reranker: Reranker;
  readonly turns: Turns;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

async function answer(body: Body, asked: Asked): Promise<z.infer<typeof rerankAnswer>> {
  const { reranker, turns, request, reply } = asked;
  const signal = goneSignal(reply);
  const passages = body.documents.map((each) => (typeof each === 'string' ? each : each.text));
  const { query } = body;
  const rerank = (): Promise<number[]> => reranker.rerank({ query, passages, signal });
  const scores = await turns.take(callerOf(request, body), signal, rerank).catch((error: unknown) => {
    throw asRefusal(error);
  });
  const tokens = passages.reduce((sum, text) => sum + Math.ceil((query.length + text.length) / 4), 0);
  const best = passages
    .map((text, index) => ({ index, relevance_score: scores[index] ?? 0, text }))
    .sort((a, b) => b.relevance_score - a.relevance_score)
    .slice(0, body.top_n ?? passages.length);
  return {
    id: `rerank-${randomBytes(12).toString('base64url')}`,
    object: 'list',
    model: reranker.model,
    results: best.map(({ text, ...scored }) => ({
      ...scored,
      ...(body.return_documents === true ? { document: { text } } : {}),
    })),
    usage: { prompt_tokens: tokens, total_tokens: tokens },
  };
}

/** A reranker that is being started again is not waited for: whoever asks has an order of his own to go on with. */
const asRefusal = (error: unknown): unknown =>
  codeOf(error) === 'model-unavailable'
    ? refusal({
        status: 503,
        code: 'model-unavailable',
        message: messageOf(error),
        hint: 'Ask again, or go on with the order that the documents have; /readyz says when it is back',
        retryAfterSeconds: 10,
      })
    : error;

const unreadable = ({ issues }: z.ZodError): Problem => ({
  status: 422,
  code: 'usage',
  message: `Cannot rerank: ${issues.map(({ path, message }) => `${path.join('.') || 'the body'}: ${message}`).join('; ')}`,
  hint: 'Send {"query": "your question", "documents": ["a text", "another"], "top_n": 5}',
});

const noReranker: Problem = {
  status: 404,
  code: 'usage',
  message: 'Cannot rerank: this job has no reranker, a job with one is wanted',
  hint: 'RERANKER_MODEL_PATH=/path/to/bge-reranker-v2-m3, and RAG_SERVICES with rerank in it, or unset',
};

const tooMany: Problem = {
  status: 429,
  code: 'busy',
  message: `Cannot rerank yet: ${mostWaiting} lists wait already, fewer are wanted`,
  hint: 'Ask again when some of them are answered',
  retryAfterSeconds: 5,
};
