/** The settings of the group `ollama`. */
import { autoOrCount, entry, optional, text, whole, type SettingEntry } from './setting.ts';

export const ollamaSettings = {
  OLLAMA_BIN: entry('ollama', text, 'ollama', 'The ollama program, by path or looked up on PATH.'),
  OLLAMA_MODELS: entry('ollama', optional, undefined, 'Model store. Default: `~/.ollama/models`.'),
  OLLAMA_PORT: entry(
    'ollama',
    whole(0, 65_535),
    '0',
    'Port of the first Ollama instance, when it is free; 0 chooses.',
  ),
  OLLAMA_GPUS: entry(
    'ollama',
    whole(1, 1024).optional(),
    undefined,
    "How many GPUs Ollama gets. Default: all but the reranker's, which is kept for one; it may be all where the reranker has no model.",
  ),
  OLLAMA_INSTANCES: entry(
    'ollama',
    autoOrCount,
    'auto',
    'How many servers embed: Ollama works on one text at a time in each. The GPUs of Ollama are shared out among them; `auto` is one.',
  ),
  OLLAMA_START_TIMEOUT: entry(
    'ollama',
    whole(1, 86_400),
    '180',
    'Seconds until Ollama must be ready; longer while it makes progress.',
  ),
  OLLAMA_GENERATE_MODEL: entry(
    'ollama',
    text,
    'qwen3:235b',
    'The model that answers; `none` turns generation off.',
  ),
  OLLAMA_EMBED_MODEL: entry('ollama', text, 'qwen3-embedding:8b', 'The model that embeds.'),
  OLLAMA_HOST: entry(
    'ollama',
    optional,
    undefined,
    'A service that already runs, instead of starting one: HOST:PORT, or `published` for the one whose endpoint file lies in RAG_RUNTIME_STATE. A wildcard or a bare port is a bind address: ignored with a warning.',
  ),
} as const satisfies Record<string, SettingEntry>;
