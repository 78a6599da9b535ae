/** Who makes vectors, and where. Pure. */
import type { Instance } from './types.ts';

/** `sidecar`: encoders in Python, each GPU of their slice with a process of its own. `none`: words alone are searched. */
export type Embedder = 'ollama' | 'sidecar' | 'none';

export interface RetrieverWishes {
  readonly embedder: Embedder;
  /** Names or folders of the encoders; empty but with `sidecar`. */
  readonly encoders: readonly string[];
  /** RETRIEVER_GPU */
  readonly gpu: number | 'cpu' | undefined;
}

/** A setting that does nothing. */
export const retrieverWarnings = ({ embedder, gpu }: RetrieverWishes): string[] =>
  gpu === undefined || embedder === 'sidecar'
    ? []
    : [
        `RETRIEVER_GPU is not used: it places an encoder outside Ollama, ${embedder === 'none' ? 'and there is none' : 'Ollama embeds'}.`,
      ];

/** One child for each GPU, with all encoders in it: batches are shared out over them. Without a GPU there is one. */
export function encoderInstances(encoders: readonly string[], gpus: readonly string[]): Instance[] {
  if (encoders.length === 0) return [];
  const encoder = { role: 'embed', model: encoders.join(',') } as const;
  if (gpus.length <= 1) return [{ id: 'encoder', ...encoder, gpus }];
  return gpus.map((gpu, at) => ({ id: `encoder-${at + 1}`, ...encoder, gpus: [gpu] }));
}

/** The encoders of a child. */
export const encodersOf = ({ model }: Pick<Instance, 'model'>): string[] => model.split(',');
