/**
 * The write path, read from top to bottom: list -> ask the store what is known -> parse -> embed -> commit.
 * Every stage pulls from the one before, so the slowest sets the pace and memory stays flat.
 */
import { chunkerName } from '../documents/chunk.ts';
import type { ChunkerOptions, ParsedDocument, ParserPool } from '../documents/types.ts';
import { codeOf, messageOf } from '../errors.ts';
import type { Embed } from '../models/types.ts';
import type { FailureRow, Known, Store } from '../store/types.ts';
import type { IngestReport, IngestRequest } from '../work.ts';
import { makeRows, type BareRow } from './chunk-rows.ts';
import { concurrently } from './concurrently.ts';
import { embedBatches } from './embed-batches.ts';
import { withKnown, type Task } from './known.ts';
import { countDocuments } from './count.ts';
import { listInputs } from './listing.ts';
import { makeTally, type Tally } from './tally.ts';
import { makeRowWriter, type RowWriter } from './writer.ts';

export interface IngestParts {
  readonly store: Pick<Store, 'known' | 'append' | 'recordFailures'>;
  readonly parser: ParserPool;
  readonly embed: Embed;
  readonly chunker: ChunkerOptions;
}

interface Stages extends IngestParts {
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
  const tally = makeTally(request.onProgress);
  const writer = makeRowWriter(parts.store, (documents) => tally.committed(documents));
  const stages: Stages = { ...parts, tally, writer, signal };
  const counting = countDocuments(request.inputs, signal).then(
    (count) => tally.total(count),
    () => {},
  ); // only the progress bar needs it

  let interrupted = false;
  try {
    await runStages(request.inputs, stages);
  } catch (error) {
    interrupted = signal.aborted && codeOf(error) === 'aborted';
    if (!interrupted) {
      await writer.flush().catch(() => {}); // the first error is the one to tell
      throw error;
    }
  }
  await writer.flush();
  await counting;
  return { ...tally.report(), complete: !interrupted, seconds: (performance.now() - started) / 1000 };
}

async function runStages(inputs: readonly string[], stages: Stages): Promise<void> {
  const { store, parser, embed, tally, writer, signal } = stages;
  const tasks = withKnown(listInputs(inputs, signal), store);
  // One task more than there are threads, so that a thread never waits for the look-up behind it.
  const parsed = concurrently(tasks, parser.threads + 1, (task) => parse(task, stages));
  for await (const batch of embedBatches(freshRows(parsed, stages), embed, signal)) {
    tally.embedded(batch.texts);
    for (const row of batch.rows) await writer.add(row);
    for (const { row, error } of batch.refused) {
      if (!writer.drop(row)) continue; // another of its chunks was refused before
      const { document, hash, file } = row;
      await setAside({ document, hash, file, state: 'failed', reason: messageOf(error) }, stages);
    }
  }
}

type Found = readonly [ParsedDocument, Known | undefined];

async function parse(task: Task, { store, parser, signal }: Stages): Promise<Found[]> {
  if (task.kind === 'failed') {
    const { key, file, reason } = task.item;
    return [[{ key, file, hash: '', state: 'failed', reason }, undefined]];
  }
  const documents = await parser.parse(task.task, signal);
  const keys = documents.map((document) => document.key);
  // The listing knows files by name only: what it took for a file may have turned out to be a corpus.
  const known = keys.every((key) => task.known.has(key)) ? task.known : await store.known(keys);
  return documents.map((document) => [document, known.get(document.key)]);
}

/** The rows that need a vector: not those of an unchanged document, nor those that a killed run committed. */
async function* freshRows(
  found: AsyncIterable<Found[]>,
  stages: Stages,
): AsyncGenerator<BareRow, void, undefined> {
  const { tally, writer, chunker } = stages;
  for await (const [document, known] of flat(found)) {
    if (document.state === 'unchanged' || document.hash === known?.done) {
      tally.unchanged();
    } else if ('chunks' in document) {
      const committed = new Set(known?.committed);
      const rows = makeRows(document, chunkerName(chunker)).filter(
        ({ ordinal, chunk }) => ordinal === 0 || !committed.has(chunk),
      );
      writer.expect(rows);
      tally.parsed(document.chunks.length);
      yield* rows;
    } else {
      const { key, hash, file, state, reason } = document;
      await setAside({ document: key, hash, file, state, reason }, stages);
    }
  }
}

async function* flat(source: AsyncIterable<Found[]>): AsyncGenerator<Found, void, undefined> {
  for await (const batch of source) yield* batch;
}

async function setAside(failure: FailureRow, { writer, tally }: Stages): Promise<void> {
  tally.failed(failure);
  await writer.setAside(failure);
}
