/**
 * The write path, read from top to bottom: list -> ask the store what is known -> parse -> embed -> commit.
 * Every stage pulls from the one before, so the slowest sets the pace and memory stays flat.
 */
import type { ChunkerOptions, ParserPool } from '../documents/types.ts';
import { messageOf } from '../errors.ts';
import type { Embed } from '../models/types.ts';
import type { Store } from '../store/types.ts';
import type { IngestReport, IngestRequest } from '../work.ts';
import { commitRest } from './commit-rest.ts';
import { concurrently } from './concurrently.ts';
import { embedBatches } from './embed-batches.ts';
import { makeEmbedOnce, withoutVectors, type EmbedOnce } from './embed-once.ts';
import { freshRows, parseTask, setAside, type Found } from './fresh-rows.ts';
import { withKnown } from './known.ts';
import { makeOrigins, type Origins } from './origins.ts';
import { makePruning, noSightings, type Sightings } from './prune.ts';
import { allOf, inPortions, type PortionItem, type Portions } from './portions.ts';
import type { Stamps } from './stamps.ts';
import { makeTally, type Tally } from './tally.ts';
import { makeRowWriter, type RowWriter } from './writer.ts';

export interface IngestParts {
  readonly store: Pick<
    Store,
    'known' | 'corpusState' | 'vectorsOf' | 'append' | 'recordFailures' | 'selectUnmet' | 'remove'
  >;
  readonly parser: ParserPool;
  /** Undefined: words alone are searched, and there are no vectors. */
  readonly embed: Embed | undefined;
  /** Whether the encoder reads the title of a passage too. */
  readonly titled?: boolean;
  /** How many servers embed; 1 when nothing is said. */
  readonly embedders?: number;
  readonly chunker: ChunkerOptions;
  readonly stamps: Stamps;
  /** What there is to ingest, where several runs share it; else all of the inputs. */
  readonly portions?: Portions;
  /** Of documents that are read all the same: hidden sheets are among their text, their encoding was guessed. */
  readonly onWarning?: (document: string, warning: string) => void;
}

/** What the stages of one run share. */
export interface Stages extends IngestParts {
  readonly origins: Origins;
  readonly sightings: Sightings;
  readonly embedOnce: EmbedOnce;
  readonly tally: Tally;
  readonly writer: RowWriter;
  readonly signal: AbortSignal;
}

/**
 * Aborting drains: requests in flight are cancelled, what is embedded is committed, the report says
 * `complete: false`.
 *
 * @throws no-input, disk-full, model-refused, model-unavailable. What was committed before stays committed.
 */
export async function ingest(request: IngestRequest, parts: IngestParts): Promise<IngestReport> {
  const { signal } = request;
  const started = performance.now();
  const tally = makeTally(request.onProgress, request);
  const pruning = request.prune === true ? makePruning() : undefined;
  const sightings = pruning ?? noSightings;
  const origins = makeOrigins(parts.stamps, sightings);
  const writer = makeRowWriter(parts.store, {
    committed: (documents) => {
      tally.committed(documents.length);
      for (const document of documents) origins.settle(document);
    },
    lost: (failure) => {
      tally.failed(failure);
      origins.fail(failure.document, true);
    },
  });
  const portions = parts.portions ?? allOf(request, (root) => sightings.listed(root));
  const { embed, store, titled = false } = parts;
  const embedOnce = embed === undefined ? withoutVectors : makeEmbedOnce(embed, store, { titled });
  const stages = { ...parts, origins, sightings, embedOnce, tally, writer };
  const counting = countFor(request, portions).then(
    (count) => tally.total(count),
    () => {},
  );

  const complete = await commitRest(writer, signal, () =>
    inPortions(portions, signal, async (items, until) => {
      await runStages(items, request, { ...stages, signal: until });
      await writer.flush();
    }),
  );
  if (complete) tally.removed((await pruning?.prune(parts.store)) ?? 0);
  await counting;
  return { ...tally.report(), complete, seconds: (performance.now() - started) / 1000 };
}

/** Only the progress bar needs it, and it lists all inputs once more. */
const countFor = async ({ onProgress, signal }: IngestRequest, portions: Portions): Promise<number | null> =>
  onProgress === undefined ? null : portions.count(signal);

/** Of parsed documents that wait for the embedder: 64 MiB at most, however many threads there are. */
const mostWaitingCharacters = 32 * 1024 * 1024;

const charactersOf = ({ documents }: Found): number =>
  documents.reduce((sum, document) => {
    if (document.state !== 'parsed') return sum;
    return sum + document.chunks.reduce((length, { text }) => length + text.length, 0);
  }, 0);

async function runStages(
  items: AsyncIterable<PortionItem>,
  { rehash = false, seen }: IngestRequest,
  stages: Stages,
): Promise<void> {
  const { parser, tally, writer, origins, signal } = stages;
  const tasks = withKnown(items, { ...stages, rehash, seen });
  // One task more than there are threads, so that a thread never waits for the look-up behind it.
  const parsed = concurrently(tasks, parser.threads + 1, (task) => parseTask(task, stages), {
    most: mostWaitingCharacters,
    sizeOf: charactersOf,
  });
  for await (const batch of embedBatches(freshRows(parsed, stages), stages, signal)) {
    tally.embedded(batch.rows, batch.texts);
    for (const row of batch.rows) await writer.add(row);
    for (const { row, error } of batch.refused) {
      if (!writer.drop(row)) continue; // another of its chunks was refused before
      const { document, hash, file } = row;
      await setAside({ document, hash, file, state: 'failed', reason: messageOf(error) }, stages);
      origins.fail(document, true);
    }
  }
}
