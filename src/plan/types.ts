import type { RerankerBackend } from './reranker.ts';
import type { Embedder } from './retriever.ts';

/** Names of services a job may need. */
export type ServiceName = 'embed' | 'rerank' | 'generate';

/** `ingest`: until everything is ingested. `answering`: from then on. */
export type Layout = 'ingest' | 'answering';

export interface Instance {
  /** `ollama-generate`, `ollama-embed` or `ollama-embed-1` and so on (`embedded-...` without a model), `ollama-embed-ask` after a switch of layouts, `reranker` or `reranker-1` and so on, `encoder` likewise. */
  readonly id: string;
  readonly role: ServiceName;
  readonly model: string;
  readonly gpus: readonly string[];
  /** In which it runs; absent: in both. */
  readonly layout?: Layout;
}

/** What runs where. GPU tokens are opaque strings, as the allocation gave them. */
export interface Plan {
  readonly gpus: readonly string[];
  readonly slices: {
    readonly ollama: readonly string[];
    readonly reranker: readonly string[];
    /** Of an encoder outside Ollama; it may be the reranker's. */
    readonly retriever: readonly string[];
    readonly workload: readonly string[];
    /** Of the outside parser; without one it works on the CPU. */
    readonly parser: readonly string[];
  };
  /** What generates, and embeds where Ollama does; `none` where nothing of it is needed. */
  /** `remote`: a service that already runs elsewhere. */
  readonly engine: 'ollama' | 'embedded' | 'remote' | 'none';
  readonly embedder: Embedder;
  readonly reranker: RerankerBackend;
  readonly instances: readonly Instance[];
  readonly memory: readonly string[];
  readonly warnings: readonly string[];
}
