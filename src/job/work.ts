/** Does `Work` in this process: waits for the services that a piece of work needs, then hands it to its room. */
import { chunkerName } from '../documents/chunk.ts';
import type { ParserPool } from '../documents/types.ts';
import type { Settings } from '../config/settings.ts';
import { codeOf, RagError } from '../errors.ts';
import { ingest } from '../ingest/ingest.ts';
import { openStamps } from '../ingest/stamps.ts';
import { makeAnswer } from '../query/answer.ts';
import { makeRetrieve } from '../query/retrieve.ts';
import type { ServedModel } from '../services/ollama-ready.ts';
import { checkEncoder } from '../store/encoder.ts';
import type { EncoderRecord, Store } from '../store/types.ts';
import { estimateTokens } from '../tokens/estimate.ts';
import type { Work } from '../work.ts';
import { answerTokens, generateOptions } from './models-in-force.ts';
import type { Models } from './models.ts';

export interface WorkParts {
  readonly settings: Settings;
  readonly store: Store;
  readonly parser: ParserPool;
  readonly models: Models;
  /** Name of this run's shard. */
  readonly writer: string;
  /** The embedder, once it is ready. */
  readonly untilEmbedder: (signal: AbortSignal) => Promise<ServedModel>;
}

export function makeWork(parts: WorkParts): Work {
  const { settings, store, parser } = parts;
  const { embed, generate, rerank, generateModel } = parts.models;
  const chunker = { targetTokens: settings.RAG_CHUNK_TOKENS, overlapTokens: settings.RAG_CHUNK_OVERLAP };
  const search = {
    store,
    embed,
    rerank,
    settings: {
      candidates: settings.RAG_CANDIDATES,
      rrfK: settings.RAG_RRF_K,
      contextTokens: generateOptions.num_ctx,
      answerTokens,
      minScore: settings.RAG_MIN_SCORE,
    },
  };
  const retrieve = makeRetrieve(search);
  const answer =
    generate === undefined
      ? undefined
      : makeAnswer({ ...search, generate, model: () => generateModel, estimate: estimateTokens });

  const encoderInForce = async (signal: AbortSignal): Promise<EncoderRecord> =>
    makeEncoder(await parts.untilEmbedder(signal), settings, chunkerName(chunker));
  /** A question must be embedded by what embedded the passages; the chunker does not matter to it. */
  const checkIndex = async (signal: AbortSignal): Promise<void> => {
    const recorded = await store.encoder();
    const inForce = await encoderInForce(signal);
    if (recorded !== null) checkEncoder(recorded, { ...inForce, chunker: recorded.chunker });
  };

  return {
    ingest: async (request) => {
      // What a killed run left is merged first: then one table with a key answers what is known.
      await store.consolidate(request.signal);
      await store.beginWriting(await encoderInForce(request.signal), parts.writer);
      await using stamps = await openStamps(settings.RAG_WORKING_DIR, parts.writer);
      const given = { rehash: settings.RAG_REHASH, prune: settings.RAG_PRUNE, ...request };
      const report = await ingest(given, { store, parser, embed, chunker, stamps });
      // A stopped run leaves its shard and its stamps as they are: the next one merges them.
      if (!report.complete) return report;
      await store.consolidate(request.signal).catch(unlessAborted);
      await stamps.merge();
      return report;
    },
    retrieve: async (request) => {
      await checkIndex(request.signal);
      return retrieve(request);
    },
    query: async (request) => {
      if (answer === undefined) throw noGenerator();
      await checkIndex(request.signal);
      return answer(request);
    },
  };
}

const unlessAborted = (error: unknown): void => {
  if (codeOf(error) !== 'aborted') throw error;
};

const noGenerator = (): RagError =>
  new RagError('usage', 'Cannot answer: this job has no generator, a job that generates is wanted', {
    hint: 'OLLAMA_GENERATE_MODEL=qwen3:235b RAG_SERVICES=embed,rerank,generate',
  });

/** @returns the record that stands in the index; `served.dimensions` is what the model really gave */
const makeEncoder = (
  served: Pick<ServedModel, 'model' | 'digest' | 'dimensions'>,
  settings: Pick<Settings, 'RAG_VECTOR_TYPE'>,
  chunker: string,
): EncoderRecord => ({
  model: served.model,
  digest: served.digest,
  dimensions: served.dimensions ?? 0,
  type: settings.RAG_VECTOR_TYPE,
  metric: 'cosine',
  chunker,
});
