/** What orders the passages of an answer, and where it runs. Pure. */
import { RagError } from '../errors.ts';
import type { Instance } from './types.ts';

/** `sidecar`: a model folder, in Python, on GPUs of its own. `http`: a server that runs elsewhere. `lexical`: no model. */
export type RerankerBackend = 'sidecar' | 'http' | 'lexical' | 'none';

export interface RerankerWishes {
  readonly backend: 'auto' | RerankerBackend;
  /** A Hugging Face folder. */
  readonly modelPath: string | undefined;
  readonly url: string | undefined;
}

/** `auto`: the model folder that is given, else the server, else no model. @throws settings when a backend lacks its own */
export function chooseReranker({ backend, modelPath, url }: RerankerWishes): RerankerBackend {
  if (backend === 'sidecar' && modelPath === undefined)
    throw lacking('sidecar', 'RERANKER_MODEL_PATH=/path/to/bge-reranker-v2-gemma');
  if (backend === 'http' && url === undefined) throw lacking('http', 'RERANKER_URL=http://127.0.0.1:8080');
  if (backend !== 'auto') return backend;
  if (modelPath !== undefined) return 'sidecar';
  return url === undefined ? 'lexical' : 'http';
}

/** Two are given, and one of them does nothing. */
export function rerankerWarnings({ modelPath, url }: RerankerWishes, chosen: RerankerBackend): string[] {
  const idle = [
    ...(modelPath !== undefined && chosen !== 'sidecar' ? ['RERANKER_MODEL_PATH'] : []),
    ...(url !== undefined && chosen !== 'http' ? ['RERANKER_URL'] : []),
  ];
  return idle.map((name) => `${name} is not used: the reranker is ${chosen}.`);
}

/** One child for each GPU: a list of passages is shared out over them. */
export function rerankerInstances(
  backend: RerankerBackend,
  gpus: readonly string[],
  modelPath: string | undefined,
): Instance[] {
  if (backend === 'none' || backend === 'http') return [];
  if (backend === 'lexical' || modelPath === undefined)
    return [{ id: 'reranker', role: 'rerank', model: 'lexical', gpus }];
  const reranker = { role: 'rerank', model: modelPath } as const;
  if (gpus.length <= 1) return [{ id: 'reranker', ...reranker, gpus }];
  return gpus.map((gpu, at) => ({ id: `reranker-${at + 1}`, ...reranker, gpus: [gpu] }));
}

const lacking = (backend: string, hint: string): RagError =>
  new RagError('settings', `Cannot use RERANKER_BACKEND=${backend}: ${hint.split('=')[0]} is not set`, {
    hint: `export ${hint}`,
  });
