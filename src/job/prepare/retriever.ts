/** What a RAG_RETRIEVER stands for: which rankings there are, and how they become one. Pure. */
import type { Settings } from '../../config/settings.ts';
import { RagError } from '../../errors.ts';
import type { Embedder } from '../../plan/retriever.ts';

export interface Retriever {
  /** Where query and passages become vectors. `none`: nowhere. */
  readonly embedder: Embedder;
  /** Words of `--encode`, each for an encoder: a name, `name=FOLDER`, or a folder. */
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

/** @throws settings for a version of the index, which has the vectors of one encoder, and several of them */
export function makeRetriever({
  RAG_RETRIEVER: name,
  RAG_INDEX_VERSION: version,
}: Pick<Settings, 'RAG_RETRIEVER'> & Partial<Pick<Settings, 'RAG_INDEX_VERSION'>>): Retriever {
  if (name === 'ollama') return { ...common, embedder: 'ollama', encoders: [], lexical: true };
  if (name === 'bm25') return { ...common, embedder: 'none', encoders: [], lexical: true };
  const [, count, place = ''] = /^rrf([24])(=.*)?$/su.exec(name) ?? [];
  if (count === '4' && version !== undefined) throw versionOfOne(version);
  const encoders = count === '4' ? ['medcpt', 'contriever', 'specter'] : ['medcpt'];
  if (count !== undefined)
    return { ...medRag, embedder: 'sidecar', encoders: encoders.map((each) => `${each}${place}`) };
  const encoder = name.replace(/^bm25\+/u, '');
  return { ...common, embedder: 'sidecar', encoders: [encoder], lexical: encoder !== name };
}

/** Settings of Ollama's embedders that were given and do nothing. */
export function idleSettings(
  settings: Pick<Settings, 'RAG_RETRIEVER' | 'RAG_EMBED_DIMENSIONS' | 'RAG_QUERY_INSTRUCTION'>,
): string[] {
  if (makeRetriever(settings).embedder === 'ollama') return [];
  return (['RAG_EMBED_DIMENSIONS', 'RAG_QUERY_INSTRUCTION'] as const)
    .filter((name) => settings[name] !== undefined)
    .map((name) => `${name} is not used: it is for embedders of Ollama, and RAG_RETRIEVER is another.`);
}

const versionOfOne = (version: string): RagError =>
  new RagError(
    'settings',
    `Cannot use RAG_RETRIEVER=rrf4 with RAG_INDEX_VERSION=${version}: a version has the vectors of one encoder, rrf4 wants three`,
    { hint: 'RAG_RETRIEVER=rrf2   # or leave RAG_INDEX_VERSION unset' },
  );
