/** An index by another encoder: made beside the old one, then put in its place. */
import { existsSync, readdirSync, renameSync } from 'node:fs';
import { cp, realpath, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';

import { RagError } from '../../errors.ts';
import { readIfThere, writeAtomic } from '../../disk/atomic.ts';
import { makeEmbedOnce, withoutVectors } from '../../ingest/embed-once.ts';
import { exportedDocuments, readManifest } from '../../ingest/import/exported-part.ts';
import { reembed } from '../../ingest/reembed.ts';
import { syncPath } from '../../store/durable.ts';
import { differenceOf } from '../../store/write/encoder.ts';
import type { Exported } from '../../store/export/exported.ts';
import { linkFolder, linkTable } from '../../store/consolidate/link-table.ts';
import type { Store } from '../../store/types.ts';
import type { IngestProgress, IngestReport } from '../../work.ts';
import { consolidate, type IngestRoom } from './ingest.ts';
import { keepYoungHeap } from './young-heap.ts';

export interface ReembedRequest {
  /** What `copyTexts` wrote. */
  readonly texts: string;
  readonly onProgress?: (progress: IngestProgress) => void;
  /** Aborting it drains: what is embedded is committed. */
  readonly signal: AbortSignal;
}

/** @returns undefined when the old index is by the encoder in force */
export type Reembed = (request: ReembedRequest) => Promise<IngestReport | undefined>;

/** Writes into the index of its room, which is the new one. Can be killed and repeated at any point. */
export const makeReembed =
  (room: IngestRoom): Reembed =>
  async ({ texts, onProgress, signal }) => {
    const { store, embed, embedders, titled, writer } = room;
    const { encoder: old, documents } = await manifestOf(texts);
    // The passages stay as they were cut.
    const encoder = { ...(await room.encoderInForce(signal)), chunker: old.chunker };
    if (differenceOf(old, encoder) === undefined) return undefined;
    keepYoungHeap();
    await store.consolidate(signal);
    await store.beginWriting(encoder, writer);
    const embedOnce = embed === undefined ? withoutVectors : makeEmbedOnce(embed, store, { titled });
    const stages = { store, embedOnce, embedders, onProgress, signal };
    const report = await reembed(exportedDocuments(texts, signal), documents, stages);
    if (report.complete) await consolidate(signal, room);
    return report;
  };

async function manifestOf(folder: string): Promise<Exported> {
  const manifest = await readManifest(folder);
  if (manifest !== undefined) return manifest;
  throw new RagError('bug', `Cannot read the texts in ${folder}: they were not copied`);
}

export interface Places {
  /** The index; a link to it is followed, because it is replaced by renaming. */
  readonly index: string;
  /** The new one, until it is whole. */
  readonly fresh: string;
  /** The passages of the old one. */
  readonly texts: string;
  /** Says that it is whole, and is gone when it is in place. */
  readonly whole: string;
  /** Held as long as somebody works at it. */
  readonly claim: string;
}

const wholeName = 'reembedded.json';
const textsName = 'texts';

export async function reembedPlaces(folder: string): Promise<Places> {
  const index = await realpath(folder).catch(() => resolve(folder));
  const fresh = `${index}.reembed`;
  return {
    index,
    fresh,
    texts: join(fresh, textsName),
    whole: join(fresh, wholeName),
    claim: `${index}.reembed.json`,
  };
}

/** The version of the index that the texts are of. @throws stopped when another run writes; no-input */
export async function copyTexts(store: Store, { texts }: Places, signal: AbortSignal): Promise<string> {
  await store.consolidate(signal);
  const version = await assertQuiet(store);
  const mark = `${texts}-of`;
  if ((await readManifest(texts)) !== undefined && (await readIfThere(mark)) === version) return version;
  await store.exportTo(texts, 'texts only');
  await writeAtomic(mark, version);
  return version;
}

/** @returns the version of the index. @throws stopped */
async function assertQuiet(store: Store): Promise<string> {
  const writers = await store.writers();
  if (writers === 0) return store.version();
  throw new RagError(
    'stopped',
    `Cannot reembed the index: other runs are writing ${writers} shards of it, their end is wanted`,
    { hint: again },
  );
}

const again = 'node dist/supervisor.js index reembed   # again: what is done is not done twice';

/** @throws stopped when the index is not what was copied */
export async function assertUnchanged(store: Store, version: string): Promise<void> {
  if ((await assertQuiet(store)) !== version) throw writtenTo();
}

const writtenTo = (): RagError =>
  new RagError(
    'stopped',
    'Cannot put the new index in place: the old one was written to meanwhile, what is new in it is wanted too',
    { hint: again },
  );

/**
 * The new index in the place of the old one, which is kept beside it. Two renamings with nothing in between; who is
 * killed right there is finished by the next `index reembed`. Who begins to write between the last look and the first of
 * them has made a shard, and from then on writes nothing that is not refused: then both go back.
 *
 * @param unchanged the last look. @throws stopped; what `unchanged` throws
 * @returns where the old one is now
 */
export async function putInPlace(places: Places, now: Date, unchanged: () => Promise<void>): Promise<string> {
  const { index, fresh, whole } = places;
  await carryOver(index, fresh);
  const shards = shardsOf(index);
  await unchanged();
  await writeAtomic(whole, '{}\n');
  const before = `${index}.before-${now.toISOString().slice(0, 19).replaceAll(':', '')}`;
  renameSync(index, before);
  try {
    renameSync(fresh, index);
  } catch (error) {
    renameSync(before, index);
    throw error;
  }
  if (shardsOf(before) !== shards) {
    renameSync(index, fresh);
    renameSync(before, index);
    await rm(whole, { force: true });
    throw writtenTo();
  }
  // Sent since it was carried over: who was told that it is kept must find it.
  if (existsSync(join(before, uploadsName)))
    await linkFolder(join(before, uploadsName), join(index, uploadsName));
  await finish(places);
  return before;
}

/** A name that was given once is never given again. */
function shardsOf(index: string): string {
  const shards = join(index, 'shards');
  return existsSync(shards) ? readdirSync(shards).sort().join('\n') : '';
}

/** What a run that was killed between the two renamings, or right after them, has left. */
export async function finishSwap(places: Places): Promise<void> {
  const { index, fresh, whole } = places;
  if (!existsSync(index) && existsSync(whole)) renameSync(fresh, index);
  if (existsSync(join(index, wholeName))) await finish(places);
}

/** The mark last: as long as it is there the rest may be. */
async function finish({ index }: Places): Promise<void> {
  await syncPath(dirname(index));
  await rm(join(index, textsName), { recursive: true, force: true });
  await rm(join(index, `${textsName}-of`), { force: true });
  await rm(join(index, wholeName), { force: true });
}

/** What was sent is nowhere else. */
const uploadsName = 'uploads';

/** What has to do with no encoder: failures, uploads, and which files need no reading. What is an index of its own: versions with names, and those of further encoders. */
async function carryOver(index: string, fresh: string): Promise<void> {
  const failures = 'failures.lance';
  if (existsSync(join(index, failures)) && !existsSync(join(fresh, failures)))
    await linkTable(join(index, failures), join(fresh, failures));
  if (existsSync(join(index, 'stamps')))
    await cp(join(index, 'stamps'), join(fresh, 'stamps'), { recursive: true, force: true });
  for (const name of ['tags', 'encoders', uploadsName]) {
    await rm(join(fresh, name), { recursive: true, force: true });
    if (existsSync(join(index, name))) await linkFolder(join(index, name), join(fresh, name));
  }
}
