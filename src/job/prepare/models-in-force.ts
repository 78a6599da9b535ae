/** Which models a run talks to, and the options that every call to them carries, from plan and settings. Pure. */
import type { Settings } from '../../config/settings.ts';
import type { FrozenOptions, Role } from '../../models/types.ts';
import type { Plan } from '../../plan/types.ts';

/**
 * The embedder's context. An estimate of tokens can be wrong by half, and a text over the context is refused:
 * four times the target costs a little GPU memory and loses no chunk. `num_batch` must equal it, or newer
 * servers cut a long text silently to 2,048 tokens.
 */
export function embedOptions(settings: Pick<Settings, 'RAG_CHUNK_TOKENS'>): FrozenOptions {
  const tokens = Math.max(2048, 4 * settings.RAG_CHUNK_TOKENS);
  return { num_ctx: tokens, num_batch: tokens };
}

/** 16k tokens of KV cache of a 235b model are 3 GiB; it holds 20 chunks of 512 tokens and an answer. */
export const generateOptions: FrozenOptions = { num_ctx: 16_384 };

export const answerTokens = 1024;

/** Matryoshka models keep nearly all of their quality in the first 1,024 of 4,096 dimensions. */
export function embedDimensions(
  settings: Pick<Settings, 'RAG_EMBED_DIMENSIONS'>,
  model: string,
): number | null {
  return settings.RAG_EMBED_DIMENSIONS ?? (/qwen3-embedding/i.test(model) ? 1024 : null);
}

/** What a plan runs in Ollama, or in the engine that stands in for it. */
export const ollamaModels = ({
  instances,
  embedder,
}: Plan): { readonly role: Role; readonly model: string }[] =>
  instances.flatMap(({ role, model }) =>
    role === 'generate' || (role === 'embed' && embedder === 'ollama') ? [{ role, model }] : [],
  );
