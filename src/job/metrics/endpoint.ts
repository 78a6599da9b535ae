/** What is asked of the job, and how long it takes to answer. */
import type { Registry } from 'prom-client';
import type { Deed } from '../picture/deeds.ts';
import type { Library } from './asked.ts';

/** From a cached retrieval to an answer of five minutes. */
export const secondsBuckets = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300,
];

/** @returns listens to what is done */
export function observeEndpoint({ Counter, Histogram }: Library, registry: Registry): (deed: Deed) => void {
  const registers = [registry];
  const common = { buckets: secondsBuckets, registers };
  const http = new Histogram({
    name: 'rag_http_request_duration_seconds',
    help: 'Requests to the endpoint, from their head to the last byte of the answer; code `left`: the client did not wait.',
    labelNames: ['route', 'method', 'code'],
    ...common,
  });
  const retrieval = new Histogram({
    name: 'rag_retrieval_duration_seconds',
    help: 'Retrievals, however many queries each had.',
    ...common,
  });
  const queries = new Counter({
    name: 'rag_retrieval_queries_total',
    help: 'Queries that were retrieved.',
    registers,
  });
  const question = new Histogram({
    name: 'rag_question_duration_seconds',
    help: 'Answered questions, by the stage that the time went into; `total` is all of it.',
    labelNames: ['stage'],
    ...common,
  });
  const unanswered = new Counter({
    name: 'rag_unanswered_total',
    help: 'Questions and retrievals that ended with an error, by its code.',
    labelNames: ['what', 'code'],
    registers,
  });
  return (deed) => {
    if (deed.deed === 'served')
      http.observe({ route: deed.route, method: deed.method, code: deed.status }, deed.seconds);
    if (deed.deed === 'not-answered') unanswered.inc({ what: deed.what, code: deed.code });
    if (deed.deed === 'retrieved') {
      queries.inc(deed.queries);
      retrieval.observe(deed.seconds);
    }
    if (deed.deed === 'answered')
      for (const [stage, ms] of Object.entries(deed.timingsMs)) question.observe({ stage }, ms / 1000);
  };
}
