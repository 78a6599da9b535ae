/** What of a plan is likely not meant so. Pure. */
import { rerankerWarnings, type RerankerWishes } from './reranker.ts';
import { type RetrieverWishes, retrieverWarnings } from './retriever.ts';
import type { Plan } from './types.ts';

export interface WarningInput {
  readonly mode: 'ingest' | 'query' | 'serve' | 'workload';
  /** Null when the allocation says nothing of GPUs. */
  readonly gpus: readonly string[] | null;
  readonly reranker: RerankerWishes;
  readonly retriever: RetrieverWishes;
  /** Whether the job needs a reranker. */
  readonly reranks: boolean;
  readonly hasParser?: boolean;
  readonly split?: string | undefined;
  readonly rerankerCount?: number | undefined;
}

export const planWarnings = (input: WarningInput, plan: Plan): string[] => [
  ...(input.reranks ? rerankerWarnings(input.reranker, plan.reranker) : []),
  ...retrieverWarnings(input.retriever),
  ...ofModels(input, plan),
  ...ofReserve(input, plan),
  ...(input.mode === 'workload' ? ofWorkload(plan) : []),
  ...ofParser(input.hasParser === true, plan),
];

function* ofModels(input: WarningInput, { gpus, engine, embedder, slices }: Plan): Generator<string> {
  if (gpus.length === 1 && slices.ollama.length > 0 && slices.reranker.length > 0)
    yield 'Ollama and the reranker share the only GPU of the job.';
  if (engine === 'embedded')
    yield 'Embedded engine: no model runs. Answers are quoted sentences and vectors are hashed words.';
  if (input.gpus?.length === 0 && (engine === 'ollama' || embedder === 'sidecar'))
    yield 'No GPU: models run on the CPU.';
}

/** Nobody reads off a plan that the words of a passage need no GPU. */
function* ofReserve(
  { split, rerankerCount }: WarningInput,
  { engine, reranker, slices, gpus }: Plan,
): Generator<string> {
  // Who has named the split has meant it.
  if (engine !== 'ollama' || reranker !== 'lexical' || split !== undefined || rerankerCount !== undefined)
    return;
  const used = new Set([...slices.ollama, ...slices.retriever, ...slices.workload, ...slices.parser]);
  const idle = slices.reranker.filter((gpu) => !used.has(gpu));
  if (idle.length > 0)
    yield `GPU ${idle.join(', ')} is kept for a reranker and idles, because the lexical one runs no model: RERANKER_MODEL_PATH gives it one${slices.workload.length > 0 ? '' : `, OLLAMA_GPUS=${gpus.length} gives Ollama all`}.`;
}

function* ofWorkload({ gpus, slices: { workload } }: Plan): Generator<string> {
  if (gpus.length > 0 && workload.length === 0) yield 'RAG_GPUS gives the workload no GPU: it sees none.';
  if (gpus.length > 0 && workload.length === gpus.length)
    yield 'The workload and the services share the GPUs of the job: leave them memory.';
}

function* ofParser(hasParser: boolean, { gpus, slices: { parser } }: Plan): Generator<string> {
  if (parser.length > 0 && !hasParser)
    yield 'RAG_GPUS gives the parser a GPU, and RAG_PARSER names no parser.';
  if (parser.length === 0 && hasParser && gpus.length > 0)
    yield 'The outside parser works on the CPU: RAG_GPUS gives it no GPU of its own (parser=POSITION).';
}
