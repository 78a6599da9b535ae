/** Passages and answers. */
import { z } from 'zod';
import type { RetrievedDocument, RetrievedHit } from '../../query/contents.ts';
import type { AnswerRecord, Citation, Sentence } from '../../work.ts';
import { queryBody } from '../routes/query-request.ts';
import { aliases, retrieveBody } from '../routes/retrieve-request.ts';
import { rerankAnswer, rerankBody } from '../routes/rerank.ts';
import { answer, errorSchema, json, lines, problem, type RouteContract } from './route.ts';

const page = z.int().min(1).nullable().describe('As a reader counts, from 1; null where there are no pages.');
const offset = z.int().min(0);

const document = z
  .object({
    id: z.string().describe("Of a file its key, of a row of a corpus the row's own id."),
    key: z.string().describe('Unique in the index: path under the input folder, or `<corpus>#<id>`.'),
    contents: z.string().describe('`"title"`, a line feed, the text.'),
    title: z.string(),
    file: z.string().describe('Absolute path of the file that it came from.'),
    page,
    page_end: page,
    start: offset.describe("Code points of the document's text."),
    end: offset.describe('Exclusive.'),
    chunk: z.string().describe('Identity of the passage.'),
    headings: z.array(z.string()).describe('The headings that it stands under.'),
  })
  .meta({ id: 'Document', description: 'A passage.' }) satisfies z.ZodType<RetrievedDocument>;

const hit = z
  .object({ document, score: z.number().describe('Higher is better.') })
  .meta({ id: 'Hit' }) satisfies z.ZodType<RetrievedHit>;

const retrieved = z.object({
  result: z
    .array(z.array(z.union([hit, document])))
    .describe('One list for each query, in their order; bare documents with `return_scores: false`.'),
});

const detail = z.object({
  detail: z
    .array(
      z.object({
        type: z.string(),
        loc: z.array(z.union([z.string(), z.int()])).describe('Where, from `body` on.'),
        msg: z.string(),
      }),
    )
    .describe('What is wrong with the body.'),
  error: errorSchema.shape.error.optional().describe('Where its fields are right, and the job cannot do it.'),
});

const citation = z
  .object({
    n: z.int().min(1).describe('The number `[n]` in the answer.'),
    document: z.string().describe('Its key in the index.'),
    title: z.string(),
    file: z.string(),
    page,
    start: offset,
    end: offset,
    score: z.number(),
    text: z.string(),
  })
  .meta({ id: 'Citation' }) satisfies z.ZodType<Citation>;

const sentence = z
  .object({
    text: z.string(),
    cites: z.array(z.int().min(1)),
    support: z
      .enum(['quoted', 'overlapping', 'unsupported', 'uncited'])
      .describe('Whether its words, numbers and dates stand in the passages that it cites.'),
  })
  .meta({ id: 'Sentence' }) satisfies z.ZodType<Sentence>;

const milliseconds = z.number().min(0);

const record = z
  .object({
    query: z.string(),
    answer: z.string(),
    citations: z.array(citation),
    sentences: z.array(sentence),
    citations_dropped: z.int().min(0).describe('Numbers that the answer cites and no passage has.'),
    retrieved: z.int().min(0).describe('Passages in the prompt.'),
    reranked: z.boolean().describe('False: the reranker was not there, the fused order stands.'),
    model: z.string(),
    timings_ms: z.object({
      retrieve: milliseconds,
      rerank: milliseconds,
      generate: milliseconds,
      total: milliseconds,
    }),
  })
  .meta({ id: 'Record', description: 'One answered question.' }) satisfies z.ZodType<AnswerRecord>;

const references = z
  .array(
    z
      .object({ reference_id: z.string(), file_path: z.string() })
      .meta({ id: 'Reference', description: "LightRAG's; `reference_id` is the number in the answer." }),
  )
  .describe('The documents behind the numbers.');

const answered = record.extend({
  response: z.string().describe("LightRAG's name of `answer`."),
  references: references.optional(),
});

const streamLine = z.union([
  z.object({ references }).describe('The first line: the passages of the prompt.'),
  z.object({ response: z.string() }).describe('A piece of the answer.'),
  z.object({ record }).describe('The last line.'),
  errorSchema.describe('The last line of an answer that failed on its way.'),
]);

const question = { query: 'Which dose was used?', topk: 5 };

const askedOf: Pick<RouteContract, 'group' | 'who' | 'method'> = {
  method: 'POST',
  group: 'retrieval',
  who: 'everything',
};

const later = { 'Retry-After': 'Seconds until it can be had, where that is known.' };

const questionProblems = {
  422: problem('The body is no question, or what it asks cannot be answered by this job.'),
  429: problem('As many questions as it takes at once are being answered.'),
  503: problem('No model that answers can be had now.', later),
};

const names = Object.entries(aliases).map(([alias, name]) => `\`${alias}\` for \`${name}\``);

const retrieve: Omit<RouteContract, 'path' | 'summary'> = {
  ...askedOf,
  who: 'models',
  body: json(retrieveBody, { queries: ['Which dose was used?'], topk: 3, return_scores: true }),
  answers: {
    200: answer('One list of hits for each query, best first.', json(retrieved)),
    422: answer('The body is not what is wanted, or nothing that this job can do.', json(detail)),
  },
  never: [413, 503],
};

export const retrievalRoutes: readonly RouteContract[] = [
  {
    ...retrieve,
    path: '/retrieve',
    summary: "The passages nearest to each query: Search-R1's contract.",
    about: `It waits, through restarts of the services too, for as long as its client does. Other servers' names of the fields are
understood: ${names.join(', ')}.`,
  },
  ...['/search', '/batch_search'].map((path) => ({ ...retrieve, path, summary: 'The same as `/retrieve`.' })),
  {
    ...askedOf,
    path: '/query',
    summary: 'One question, one answer with checked citations.',
    about: "LightRAG's other fields are accepted and without effect.",
    body: json(queryBody, question),
    answers: {
      200: answer("The record of the answer, with LightRAG's main fields beside it.", json(answered)),
      ...questionProblems,
    },
  },
  {
    ...askedOf,
    path: '/query/stream',
    summary: 'The same, as it is generated: a line of JSON for each piece.',
    about:
      'References come first, then the pieces, at last the record. What fails before the first line has a status of its own.',
    body: json(queryBody, question),
    answers: {
      200: answer(
        'Lines of JSON.',
        lines(
          streamLine,
          '{"references":[{"reference_id":"1","file_path":"trial.pdf"}]}\n{"response":"5 mg [1]."}\n',
        ),
      ),
      ...questionProblems,
    },
  },
  ...['/rerank', '/v1/rerank', '/v2/rerank'].map((path): RouteContract => ({
    ...askedOf,
    who: 'models',
    path,
    summary: 'The order of documents for a question, by the reranker of this job.',
    about: "As Jina's and Cohere's services are asked. `model` and all other fields have no effect.",
    body: json(rerankBody, { query: question.query, documents: ['5 mg a day.', 'A cat.'], top_n: 1 }),
    answers: {
      200: answer('The best first.', json(rerankAnswer)),
      404: problem('This job has no reranker.'),
      422: problem('The body is no list of documents with a question.'),
      429: problem('As many lists wait as may wait.', later),
      503: problem('The reranker is being started again.', later),
    },
  })),
];
