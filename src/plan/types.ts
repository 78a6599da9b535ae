/** Names of services a job may need. */
export type ServiceName = 'embed' | 'rerank' | 'generate';

export interface Instance {
  /** `ollama-generate`, `ollama-embed` or `ollama-embed-1` and so on (`embedded-...` without a model), `reranker`. */
  readonly id: string;
  readonly role: ServiceName;
  readonly model: string;
  readonly gpus: readonly string[];
}

/** What runs where. GPU tokens are opaque strings, as the allocation gave them. */
export interface Plan {
  readonly gpus: readonly string[];
  readonly slices: {
    readonly ollama: readonly string[];
    readonly reranker: readonly string[];
    readonly workload: readonly string[];
    /** Of the outside parser; without one it works on the CPU. */
    readonly parser: readonly string[];
  };
  readonly engine: 'ollama' | 'embedded';
  readonly instances: readonly Instance[];
  readonly memory: readonly string[];
  readonly warnings: readonly string[];
}
