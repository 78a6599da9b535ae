/** What is asked of the models, and what they give. */
import type { Registry } from 'prom-client';
import type { Deed } from '../picture/deeds.ts';
import type { Library } from './asked.ts';
import { secondsBuckets } from './endpoint.ts';

/** @returns listens to what is done */
export function observeModels({ Counter, Histogram }: Library, registry: Registry): (deed: Deed) => void {
  const registers = [registry];
  const common = { buckets: secondsBuckets, registers };
  const embed = new Histogram({
    name: 'rag_embed_duration_seconds',
    help: 'Batches of texts that were embedded, tries in vain included.',
    labelNames: ['kind'],
    ...common,
  });
  const texts = new Counter({
    name: 'rag_embedded_texts_total',
    help: 'Texts that were embedded.',
    labelNames: ['kind'],
    registers,
  });
  const generate = new Histogram({
    name: 'rag_generate_duration_seconds',
    help: 'Answers of the generator, from the prompt to their last word.',
    ...common,
  });
  const firstPiece = new Histogram({
    name: 'rag_generate_first_piece_seconds',
    help: 'Answers of the generator, from the prompt to their first word.',
    ...common,
  });
  const pieces = new Counter({
    name: 'rag_generated_pieces_total',
    help: 'Pieces of answers; Ollama sends one for each token.',
    registers,
  });
  const promptTokens = new Counter({
    name: 'rag_prompt_tokens_total',
    help: 'Tokens of prompts, as the model server counted them.',
    registers,
  });
  return (deed) => {
    if (deed.deed === 'embedded') {
      embed.observe({ kind: deed.kind }, deed.seconds);
      texts.inc({ kind: deed.kind }, deed.texts);
    }
    if (deed.deed === 'generated') {
      generate.observe(deed.seconds);
      if (deed.firstPieceSeconds !== null) firstPiece.observe(deed.firstPieceSeconds);
      pieces.inc(deed.pieces);
      promptTokens.inc(deed.promptTokens);
    }
  };
}
