/** The settings of the group `reranker`. */
import { z } from 'zod';

import { entry, flagValue, httpUrl, optional, text, whole, type SettingEntry } from './setting.ts';

export const rerankerSettings = {
  RERANKER_MODEL_PATH: entry(
    'reranker',
    optional,
    undefined,
    'Hugging Face folder of a reranker (bge-reranker-v2-gemma, bge-reranker-v2-m3, Qwen3-Reranker, ...), run in Python on GPUs of its own.',
  ),
  RERANKER_USE_FP16: entry('reranker', flagValue, '1', 'Half precision for the reranker; the CPU has none.'),
  RERANKER_GPUS: entry(
    'reranker',
    whole(1, 1024).optional(),
    undefined,
    'How many GPUs the reranker gets, each with a process of its own. Default: 1.',
  ),
  RERANKER_BACKEND: entry(
    'reranker',
    z.enum(
      ['auto', 'sidecar', 'http', 'lexical', 'none'],
      'is not one of auto, sidecar, http, lexical, none',
    ),
    'auto',
    '`sidecar` (RERANKER_MODEL_PATH), `http` (RERANKER_URL), `lexical` (no model) or `none`. `auto`: the first of them that is given, else `lexical`.',
  ),
  RERANKER_BATCH_SIZE: entry(
    'reranker',
    whole(1, 4096).optional(),
    undefined,
    'Pairs in one forward pass; less where GPU memory does not do. Default: 64, on the CPU 8.',
  ),
  RERANKER_URL: entry(
    'reranker',
    httpUrl.optional(),
    undefined,
    'A reranker that already runs: TEI, vLLM, llama-server, or a service with the interface of Cohere or Jina.',
  ),
  RERANKER_MODEL: entry(
    'reranker',
    optional,
    undefined,
    'Name of the model at RERANKER_URL, where the server wants one.',
  ),
  RERANKER_KEY_FILE: entry(
    'reranker',
    optional,
    undefined,
    'File with the key for RERANKER_URL, sent as `Authorization: Bearer`. Nobody else should be able to read it.',
  ),
  RERANKER_PYTHON: entry(
    'reranker',
    text,
    'python3',
    'The Python with torch and transformers, by path or looked up on PATH.',
  ),
} as const satisfies Record<string, SettingEntry>;
