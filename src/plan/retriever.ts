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

/** Of each encoder one child for each GPU: batches are shared out over them. Without a GPU there is one. */
export const encoderInstances = (encoders: readonly string[], gpus: readonly string[]): Instance[] =>
  encoders.flatMap((model) => {
    const role = 'embed';
    const id = encoders.length === 1 ? 'encoder' : `encoder-${model.replace(/=.*/su, '')}`;
    if (gpus.length <= 1) return [{ id, role, model, gpus }];
    return gpus.map((gpu, at) => ({ id: `${id}-${at + 1}`, role, model, gpus: [gpu] }));
  });
