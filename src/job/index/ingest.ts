/** One ingest from its first look at the index to its last: alone, or as one of several tasks that share it. */
import type { Settings } from '../../config/settings.ts';
import type { ChunkerOptions, ParserPool } from '../../documents/types.ts';
import { codeOf } from '../../errors.ts';
import { ingest } from '../../ingest/ingest.ts';
import { openShare } from '../../ingest/share.ts';
import { openStamps, type Stamps } from '../../ingest/stamps.ts';
import type { Embed } from '../../models/types.ts';
import { makeWarningLog } from '../../observe/failures.ts';
import type { Team } from '../../slurm/team.ts';
import type { EncoderRecord, Store } from '../../store/types.ts';
import type { IngestReport, IngestRequest, Work } from '../../work.ts';
import { tuneVectors } from './tune.ts';
import type { Writing } from './writing.ts';
import { keepYoungHeap } from './young-heap.ts';

export interface IngestRoom {
  readonly settings: Settings;
  readonly store: Store;
  readonly parser: ParserPool;
  readonly embed: Embed | undefined;
  readonly titled: boolean;
  readonly embedders: number;
  readonly chunker: ChunkerOptions;
  /** Waits for the embedder. */
  readonly encoderInForce: (signal: AbortSignal) => Promise<EncoderRecord>;
  readonly writing: Writing;
  /** Name of this run's shard. */
  readonly writer: string;
  readonly team: Team | undefined;
  readonly log: (level: 'info' | 'warn', line: string) => void;
}

interface Room extends IngestRoom {
  readonly onWarning: (document: string, warning: string) => void;
}

export const makeIngest =
  (given: IngestRoom): Work['ingest'] =>
  (request) => {
    const room = { ...given, onWarning: makeWarningLog(given.log) };
    keepYoungHeap();
    const { RAG_REHASH: rehash, RAG_PRUNE: prune } = room.settings;
    if (request.beside === true || request.seen?.isFirst === false) return ingestBeside(request, room);
    const whole = { rehash, prune, ...request };
    return room.team === undefined ? ingestAlone(whole, room) : ingestShared(whole, room, room.team);
  };

async function ingestAlone(request: IngestRequest, room: Room): Promise<IngestReport> {
  await room.writing.begin(request.signal);
  return withStamps(room, async (stamps) => {
    const report = await ingest(request, { ...room, stamps });
    // A stopped run leaves its shard and its stamps as they are: the next one merges them.
    if (!report.complete) return report;
    await consolidate(request.signal, room);
    await stamps.merge('all inputs');
    return report;
  });
}

/** A later look of this run at its inputs, or what it was sent: the index is merged only when something came of it. */
async function ingestBeside(request: IngestRequest, room: Room): Promise<IngestReport> {
  await room.writing.untilBegun(request.signal);
  const report = await withStamps(room, (stamps) => ingest(request, { ...room, stamps }));
  if (report.documents.processed + report.removed > 0) await consolidate(request.signal, room);
  return report;
}

/** Every task does its part; the one that ends the round merges what all of them wrote. */
async function ingestShared(request: IngestRequest, room: Room, team: Team): Promise<IngestReport> {
  const { settings, store, log } = room;
  await using share = await openShare({
    index: settings.RAG_WORKING_DIR,
    inputs: request,
    team,
    takeoverMs: settings.RAG_TAKEOVER_SECONDS * 1000,
    warn: (line) => log('warn', line),
  });
  if (share.state === 'over') {
    log('info', 'the other tasks have ingested everything');
    // Of what comes later nobody has ingested anything, and this is the task that looks for it.
    if (request.seen !== undefined) await room.writing.begin(request.signal);
    return nothingDone;
  }
  await room.writing.begin(request.signal);
  // No task meets all of the inputs: what is gone from them is found by the one that ends the round.
  const part = { ...request, prune: false };
  const report = await withStamps(room, (stamps) =>
    ingest(part, { ...room, stamps, portions: share.portions }),
  );
  await store.release();
  const leaving = await share.leave(report.complete ? 'finished' : 'stopped', request.signal);
  if (leaving === 'leave') return report;
  const pruned = request.prune === true ? await pruneAll(request, room) : nothingDone;
  await consolidate(request.signal, room);
  await withStamps(room, (stamps) => stamps.merge('some'));
  return { ...report, removed: pruned.removed, complete: report.complete && pruned.complete };
}

export async function consolidate(signal: AbortSignal, room: IngestRoom): Promise<void> {
  await room.store.consolidate(signal).catch((error: unknown) => {
    if (codeOf(error) !== 'aborted') throw error;
  });
  await tuneVectors(signal, room);
}

/** A run over everything, which finds hardly anything that it must read. */
async function pruneAll({ inputs, uploads, signal }: IngestRequest, room: Room): Promise<IngestReport> {
  return withStamps(room, (stamps) =>
    ingest({ inputs, ...(uploads && { uploads }), signal, prune: true }, { ...room, stamps }),
  );
}

async function withStamps<T>(
  { settings, writer }: IngestRoom,
  use: (stamps: Stamps) => Promise<T>,
): Promise<T> {
  await using stamps = await openStamps(settings.RAG_WORKING_DIR, writer);
  return await use(stamps);
}

export const nothingDone: IngestReport = {
  documents: { processed: 0, unchanged: 0, failed: 0, needs_ocr: 0 },
  removed: 0,
  chunks: 0,
  embedded: 0,
  failures: [],
  seconds: 0,
  complete: true,
};
