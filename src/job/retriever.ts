/** What a RAG_RETRIEVER stands for: which rankings there are, and how they become one. Pure. */
import type { Settings } from '../config/settings.ts';
import { RagError } from '../errors.ts';
import type { Embedder } from '../plan/retriever.ts';

export interface Retriever {
  /** Where query and passages become vectors. `none`: nowhere. */
  readonly embedder: Embedder;
  /** Words of `--encode`: what the sidecar calls its encoder, or a folder. */
  readonly encoders: readonly string[];
  /** Whether BM25 is one of the rankings. */
  readonly lexical: boolean;
  /** The constant of reciprocal rank fusion, unless RAG_RRF_K says it. */
  readonly rrfK: number;
  /** Depth of each ranking that is fused, for each hit that is wanted; RAG_CANDIDATES is the least. */
  readonly depthPerHit: number;
}

/** The constant of the original publication and of FlashRAG. */
const common = { rrfK: 60, depthPerHit: 1 } as const;

/** MedRAG fetches max(2k, 100) from each retriever and adds 1 / (100 + rank). */
const medRag = { rrfK: 100, depthPerHit: 2, lexical: true } as const;

/** @throws settings for a fusion that is not there yet */
export function makeRetriever({ RAG_RETRIEVER: name }: Pick<Settings, 'RAG_RETRIEVER'>): Retriever {
  if (name === 'ollama') return { ...common, embedder: 'ollama', encoders: [], lexical: true };
  if (name === 'bm25') return { ...common, embedder: 'none', encoders: [], lexical: true };
  if (name === 'rrf2') return { ...medRag, embedder: 'sidecar', encoders: ['medcpt'] };
  if (name === 'rrf4') throw noSecondEncoder();
  const encoder = name.replace(/^bm25\+/u, '');
  return { ...common, embedder: 'sidecar', encoders: [encoder], lexical: encoder !== name };
}

const noSecondEncoder = (): RagError =>
  new RagError(
    'settings',
    'Cannot use RAG_RETRIEVER=rrf4: an index holds the vectors of one encoder, rrf4 wants three (MedCPT, Contriever, SPECTER)',
    { hint: 'RAG_RETRIEVER=rrf2   # BM25 and MedCPT, fused as in MedRAG' },
  );
