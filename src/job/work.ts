/** Does `Work` in this process: waits for the services that a piece of work needs, then hands it to its room. */
import { chunkerName } from '../documents/chunk.ts';
import type { ChunkerOptions, ParserPool } from '../documents/types.ts';
import type { Settings } from '../config/settings.ts';
import { RagError } from '../errors.ts';
import { openUploads } from '../ingest/uploads/uploads.ts';
import { makeAnswer } from '../query/answer.ts';
import { makeRetrievalCache, type RetrievalFigures } from '../query/cache.ts';
import { type FindStages, makeFindStages } from '../query/eval/stages.ts';
import { makeRetrieve } from '../query/retrieve.ts';
import type { Team } from '../slurm/team.ts';
import { checkEncoder } from '../store/write/encoder.ts';
import type { EncoderRecord, Inspection, Store, VectorIndexFigures } from '../store/types.ts';
import { makeEstimatingCounter, type TokenCounter } from '../tokens/counter.ts';
import type { Work } from '../work.ts';
import { makeRecord, type ServedEncoder } from './models/encoder.ts';
import { checkFurther, ingestEach, withAllVersions, type DenseIndex } from './models/further.ts';
import { makeImport, type ImportVectors } from './index/import.ts';
import { makeIngest } from './index/ingest.ts';
import { answerTokens, generateOptions } from './prepare/models-in-force.ts';
import { type LocalLibrary, makeLibrary } from './documents/library.ts';
import type { Models } from './models/models.ts';
import { makeLeaving } from './documents/leaving.ts';
import { makeRemoval } from './documents/removal.ts';
import { makeTurns } from './documents/turns.ts';
import { makeWriting } from './index/writing.ts';
import { watchVectorIndex } from './index/vector-index.ts';
import { makeReembed, type Reembed } from './index/reembed.ts';
import { makeRetriever } from './prepare/retriever.ts';

export interface WorkParts {
  readonly settings: Settings;
  readonly store: Store;
  readonly parser: ParserPool;
  readonly chunker: ChunkerOptions;
  readonly models: Models;
  /** Counts the tokens of prompts; undefined: they are estimated. */
  readonly tokens?: TokenCounter;
  /** Name of this run's shard. */
  readonly writer: string;
  /** With whom this run shares its ingest; undefined: it does all of it. */
  readonly team: Team | undefined;
  readonly log: (level: 'info' | 'warn', line: string) => void;
  /** What makes the vectors, once it is ready. */
  readonly untilEncoder: (signal: AbortSignal) => Promise<ServedEncoder>;
  /** Other vectors of the same passages, of a fusion of several encoders. */
  readonly further?: readonly DenseIndex[];
  /** Told of every ingest, whoever asks for it. */
  readonly measure?: (ingest: Work['ingest']) => Work['ingest'];
}

export interface LocalWork extends Work {
  readonly library: LocalLibrary;
  /** Into the index, with the passages that they are of. */
  readonly importVectors: ImportVectors;
  /** Into this index, which is new, what another holds. */
  readonly reembed: Reembed;
  retrievals(): RetrievalFigures & { readonly vector_index: VectorIndexFigures | null };
  /** Rankings of each stage alone, for an evaluation. */
  readonly stages: FindStages;
  inspect(): Promise<Inspection>;
}

/** The hits of some 50,000 queries of passages of 100 words. */
const cacheBytes = 256 * 1024 * 1024;

export function makeWork(parts: WorkParts): LocalWork {
  const { further = [], measure = (ingest) => ingest } = parts;
  const { generate, generateModel } = parts.models;
  const cache = makeRetrievalCache(cacheBytes);
  const search = { ...searchParts(parts), cache };
  const { store } = search;
  const vectorIndex = watchVectorIndex(store);
  const retrieve = makeRetrieve(search);
  const stages = makeFindStages(search);
  const answer =
    generate === undefined
      ? undefined
      : makeAnswer({
          ...search,
          generate,
          model: () => generateModel,
          tokens: parts.tokens ?? makeEstimatingCounter(),
        });

  const checkIndex = makeIndexCheck(parts);
  const leaving = makeLeaving();
  const guarded = <Room extends { readonly store: Store }>(each: Room): Room => ({
    ...each,
    store: leaving.guard(each.store),
  });
  const room = guarded(roomOf(parts));
  const rooms = further.map((each) => guarded({ ...room, ...furtherRoom(each, parts) }));
  const turns = makeTurns();
  const library = makeLibrary({
    uploads: openUploads(parts.settings.RAG_WORKING_DIR),
    store: parts.store,
    ingest: measure(ingestEach([makeIngest(room), ...rooms.map((each) => makeIngest(each))])),
    remove: makeRemoval([room, ...rooms], turns, leaving),
    turns,
    log: parts.log,
  });
  return {
    library,
    ingest: library.ingest,
    importVectors: makeImport(room),
    reembed: makeReembed(room),
    retrieve: async (request) => {
      await checkIndex(request.signal);
      return retrieve(request);
    },
    query: async (request) => {
      if (answer === undefined) throw noGenerator();
      await checkIndex(request.signal);
      return answer(request);
    },
    retrievals: () => ({ ...cache.figures(), vector_index: vectorIndex() }),
    stages: async (questions, depth, signal, filter) => {
      await checkIndex(signal);
      return stages(questions, depth, signal, filter);
    },
    inspect: () => store.inspect(),
  };
}

/** What every way of searching has in common. */
function searchParts({ settings, store, models: { embed, rerank }, further = [] }: WorkParts) {
  const retriever = makeRetriever(settings);
  const stores = further.map((each) => each.store);
  return {
    store: withAllVersions(store, stores),
    embed,
    further,
    rerank,
    settings: {
      candidates: settings.RAG_CANDIDATES,
      lexical: retriever.lexical,
      depthPerHit: retriever.depthPerHit,
      rrfK: settings.RAG_RRF_K ?? retriever.rrfK,
      contextTokens: generateOptions.num_ctx,
      answerTokens,
      minScore: settings.RAG_MIN_SCORE,
    },
  };
}

const recordOf =
  ({ untilEncoder }: Pick<DenseIndex, 'untilEncoder'>, { settings, chunker }: WorkParts) =>
  async (signal: AbortSignal): Promise<EncoderRecord> =>
    makeRecord(await untilEncoder(signal), settings, chunkerName(chunker));

function roomOf(parts: WorkParts) {
  const encoderInForce = recordOf(parts, parts);
  const writing = makeWriting({ store: parts.store, writer: parts.writer, encoderInForce });
  return { ...parts, ...parts.models, encoderInForce, writing };
}

/** What an ingest into another index has of its own. */
function furtherRoom(index: DenseIndex, parts: WorkParts) {
  const { store, embed, folder } = index;
  const encoderInForce = recordOf(index, parts);
  const writing = makeWriting({ store, writer: parts.writer, encoderInForce });
  return { store, embed, encoderInForce, writing, settings: { ...parts.settings, RAG_WORKING_DIR: folder } };
}

/** A question must be embedded by what embedded the passages; the chunker does not matter to it, and words are words. */
function makeIndexCheck(parts: WorkParts): (signal: AbortSignal) => Promise<void> {
  const { store, models, further = [] } = parts;
  const encoderInForce = recordOf(parts, parts);
  return async (signal) => {
    if (models.embed === undefined) return;
    const recorded = await store.encoder();
    const inForce = await encoderInForce(signal);
    if (recorded === null) return;
    checkEncoder(recorded, { ...inForce, chunker: recorded.chunker });
    for (const each of further) await checkFurther(each, recordOf(each, parts), signal);
  };
}

const noGenerator = (): RagError =>
  new RagError('usage', 'Cannot answer: this job has no generator, a job that generates is wanted', {
    hint: 'OLLAMA_GENERATE_MODEL=qwen3:235b RAG_SERVICES=embed,rerank,generate',
  });
