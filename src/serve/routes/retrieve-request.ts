import { z } from 'zod';
import { messageOf } from '../../errors.ts';
import { readJsonFilter } from '../../query/filter.ts';
import type { Filter } from '../../work.ts';

/** A retrieval as Search-R1's clients and their relatives write it, in one form. */
export interface RetrieveBody {
  readonly queries: readonly string[];
  readonly topk: number;
  readonly rerank: boolean;
  /** How many candidates the reranker sees; undefined: all. */
  readonly candidates: number | undefined;
  readonly filter: Filter;
  /** `document` and `score`, or only the bare documents. */
  readonly withScores: boolean;
}

/** One entry of the contract's 422 answer. */
export interface Detail {
  readonly type: string;
  readonly loc: readonly (string | number)[];
  readonly msg: string;
}

const count = z.coerce.number().int().min(0).nullish();

/** What a command line has as `--filter`, or an object (see query/filter.ts). */
export const filterField = z
  .unknown()
  .transform((given, context): Filter => {
    try {
      return readJsonFilter(given);
    } catch (error) {
      context.issues.push({ code: 'custom', message: messageOf(error), input: given });
      return z.NEVER;
    }
  })
  .meta({ anyOf: [{ type: 'object' }, { type: 'string' }, { type: 'array', items: { type: 'string' } }] })
  .nullish()
  .describe(
    'Only passages with this: `{"document": "reports/**", "page": "3..9", "year": [2020, 2021]}`, or `NAME=VALUE` as a string or a list of them. All must hold.',
  );

export const retrieveBody = z
  .object({
    queries: z
      .preprocess((value) => (typeof value === 'string' ? [value] : value), z.array(z.string()))
      .describe('Thousands are fine; equal ones are computed once. A single string will do.'),
    topk: count.describe("Hits per query; the supervisor's RAG_TOPK when missing, null or 0."),
    return_scores: z
      .boolean()
      .nullish()
      .describe('Only an explicit false takes the scores away: hits are then bare documents.'),
    topk_retrieval: count.describe('How many candidates the reranker sees; all of them when missing.'),
    topk_rerank: count.describe('Turns reranking on: so many hits remain.'),
    filter: filterField,
  })
  .meta({ id: 'RetrieveBody' });

/** Other servers' names for the same fields; the contract's own name wins. */
export const aliases = {
  query: 'queries',
  question: 'queries',
  top_n: 'topk',
  num: 'topk',
  k: 'topk',
  return_score: 'return_scores',
};

/**
 * `topk` null, 0 or missing is the default; unknown fields are ignored. `topk_rerank` turns reranking on and
 * says how many hits remain. Only an explicit `return_scores: false` takes the scores away: no client can depend
 * on the original's default, which answers 500 there.
 */
export function readRetrieveBody(
  body: unknown,
  defaultTopk: number,
): RetrieveBody | { readonly detail: Detail[] } {
  const parsed = retrieveBody.safeParse(unaliased(body));
  if (!parsed.success) return { detail: parsed.error.issues.map(toDetail) };
  const { queries, topk, return_scores, topk_retrieval, topk_rerank, filter } = parsed.data;
  return {
    queries,
    topk: topk_rerank || topk || defaultTopk,
    rerank: Boolean(topk_rerank),
    candidates: topk_retrieval || undefined,
    filter: filter ?? [],
    withScores: return_scores !== false,
  };
}

function unaliased(body: unknown): unknown {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return body;
  const renamed = Object.entries(aliases).flatMap(([alias, name]) =>
    alias in body ? [[name, Reflect.get(body, alias)]] : [],
  );
  return { ...Object.fromEntries(renamed), ...body };
}

const toDetail = ({ code, path, message }: z.core.$ZodIssue): Detail => ({
  type: message.endsWith('received undefined') ? 'missing' : code,
  loc: ['body', ...path.map((key) => (typeof key === 'number' ? key : String(key)))],
  msg: message,
});
