import { codeOf } from '../errors.ts';
import type { Generate, Rerank } from '../models/types.ts';
import type { TokenCounter } from '../tokens/counter.ts';
import type { AnswerRecord, Hit, QueryRequest } from '../work.ts';
import { type CandidateParts, type Candidates, makeFindCandidates, nothing } from './candidates.ts';
import { checkCitations } from './citations.ts';
import { makePrompt, type Prompt } from './prompt.ts';
import { rerankHits } from './rerank-hits.ts';

export interface AnswerSettings {
  /** Context of the generating model, in tokens, and the part of it kept for the answer. */
  readonly contextTokens: number;
  readonly answerTokens: number;
  /** RAG_MIN_SCORE, on the reranker's scale of 0 to 1. */
  readonly minScore: number;
}

export interface AnswerParts extends CandidateParts {
  readonly rerank?: Rerank | undefined;
  readonly generate: Generate;
  /** Name of the generating model, for the record. */
  readonly model: () => string;
  readonly tokens: TokenCounter;
  readonly settings: CandidateParts['settings'] & AnswerSettings;
  /** Milliseconds of a clock that never goes back. */
  readonly now?: () => number;
}

export type Answer = (request: QueryRequest) => Promise<AnswerRecord>;

export const NOTHING_FOUND = 'Nothing in the index answers this question.';

/**
 * One question, start to end: candidates, rerank, prompt, answer, citations. When nothing relevant was found the
 * model is not asked: it would answer from memory.
 *
 * @throws what the embedder and the generator throw; a reranker that fails only sets `reranked: false`
 */
export function makeAnswer(parts: AnswerParts): Answer {
  const findCandidates = makeFindCandidates(parts);
  const now = parts.now ?? ((): number => performance.now());
  return async (request) => {
    const { query, topk, filter, signal } = request;
    const texts = parts.rerank === undefined ? topk : undefined;
    const started = now();
    const [candidates = nothing] = await findCandidates([query], { topk, texts, filter, signal });
    const retrieved = now();
    const ranked = await rerankHits(parts.rerank, { query, hits: candidates.hits, signal });
    const reranked = now();
    const relevant = isRelevant(candidates, ranked, parts.settings.minScore);
    const { text, used } = relevant
      ? await generate(parts, request, ranked.hits.slice(0, topk))
      : nothingFound(request);
    const ended = now();
    return {
      query,
      answer: text,
      ...(relevant ? checkCitations(text, used) : { citations: [], sentences: [], citations_dropped: 0 }),
      retrieved: used.length,
      reranked: ranked.reranked,
      model: parts.model(),
      timings_ms: {
        retrieve: retrieved - started,
        rerank: reranked - retrieved,
        generate: ended - reranked,
        total: ended - started,
      },
    };
  };
}

interface Generated {
  readonly text: string;
  readonly used: readonly Hit[];
}

/** Without a score of the reranker there is no scale to judge by: whatever was found counts. */
function isRelevant(
  { lexical }: Candidates,
  { hits, reranked }: { readonly hits: readonly Hit[]; readonly reranked: boolean },
  minScore: number,
): boolean {
  const best = hits[0];
  return best !== undefined && (lexical > 0 || !reranked || best.score >= minScore);
}

function nothingFound({ onPassages, onText }: QueryRequest): Generated {
  onPassages?.([]);
  onText?.(NOTHING_FOUND);
  return { text: NOTHING_FOUND, used: [] };
}

/** Shares of the context to try: a count of tokens may be an estimate, the model server's refusal is none. */
const CONTEXT_SHARES = [1, 0.7, 0.4];

async function generate(
  parts: AnswerParts,
  request: QueryRequest,
  hits: readonly Hit[],
  [share = 1, ...smaller] = CONTEXT_SHARES,
): Promise<Generated> {
  const { contextTokens, answerTokens } = parts.settings;
  const prompt = await makePrompt({
    question: request.asked ?? request.query,
    hits,
    contextTokens: Math.floor(contextTokens * share),
    answerTokens,
    count: (texts) => parts.tokens.count(texts),
  });
  try {
    return { text: await streamAnswer(parts, request, prompt), used: prompt.used };
  } catch (error) {
    if (codeOf(error) !== 'too-long' || smaller.length === 0) throw error;
    return generate(parts, request, hits, smaller);
  }
}

/** The passages are told with the first piece: until then the model may refuse the prompt as too long. */
async function streamAnswer(
  parts: AnswerParts,
  request: QueryRequest,
  { messages, used, tokens }: Prompt,
): Promise<string> {
  let answer = '';
  let told = false;
  const { onPassages, onText, signal } = request;
  const onPromptTokens = (served: number): void => parts.tokens.learn(tokens, served);
  const maxTokens = parts.settings.answerTokens;
  for await (const piece of parts.generate({ messages, maxTokens, onPromptTokens, signal })) {
    if (!told) onPassages?.(used);
    told = true;
    onText?.(piece);
    answer += piece;
  }
  if (!told) onPassages?.(used);
  return answer.trim();
}
