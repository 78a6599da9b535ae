/** An endpoint with a job behind it that does what a test tells it to. */
import type { Picture } from '../../../src/page/picture.ts';
import type { Endpoint, EndpointOptions } from '../../../src/serve/serve.ts';
import type { AnswerRecord, Citation, QueryRequest } from '../../../src/work.ts';
import { hit, open } from '../../serve/open.ts';
import { type Example, examplePicture } from '../example.ts';

export const citation = (n: number, more: Partial<Citation> = {}): Citation => ({
  n,
  document: `paper-${n}.pdf`,
  title: `Operations of the harbour turbine, part ${n}`,
  file: `/project/papers/paper-${n}.pdf`,
  page: 10 + n,
  start: 0,
  end: 10,
  score: 0.9,
  text: `The turbine of harbour ${n} was replaced in 2019 after its bearings had worn through.`,
  ...more,
});

export const answerOf = (query: string, more: Partial<AnswerRecord> = {}): AnswerRecord => ({
  query,
  answer: 'It was replaced in 2019 [1].\n\nIt was painted green [3].',
  citations: [citation(1), citation(3)],
  sentences: [
    { text: 'It was replaced in 2019 [1].', cites: [1], support: 'overlapping' },
    { text: 'It was painted green [3].', cites: [3], support: 'unsupported' },
  ],
  citations_dropped: 0,
  retrieved: 5,
  reranked: true,
  model: 'qwen3:235b',
  timings_ms: { retrieve: 31, rerank: 140, generate: 4100, total: 4271 },
  ...more,
});

/** Tells the passages, then the answer word by word. */
export async function speak(request: QueryRequest, record = answerOf(request.query)): Promise<AnswerRecord> {
  request.onPassages?.([1, 2, 3, 4, 5].map((n) => hit(`paper-${n}`)));
  for (const word of record.answer.split(/(?<= )/)) request.onText?.(word);
  return record;
}

export interface JobOptions extends Partial<EndpointOptions> {
  readonly example?: () => Example;
  readonly query?: (request: QueryRequest) => Promise<AnswerRecord>;
  readonly change?: (picture: Picture) => Picture;
}

/** May be closed before its scope ends. */
export async function openJob({
  example = () => ({}),
  query = speak,
  change = (picture) => picture,
  ...more
}: JobOptions = {}): Promise<Endpoint> {
  const endpoint = await open({
    work: { retrieve: () => Promise.resolve([[]]), query },
    page: {
      picture: (seen) => change(examplePicture({ ...example(), seen })),
      metrics: () => Promise.resolve(''),
    },
    ...more,
  });
  let closed: Promise<void> | undefined;
  return {
    ...endpoint,
    [Symbol.asyncDispose]: () => (closed ??= Promise.resolve(endpoint[Symbol.asyncDispose]())),
  };
}
