/**
 * Versions of an index with a name. Each is an index of its own under `tags/`, whose files are those of main: it takes
 * no space until main drops them, and no consolidation, clean-up or removal reaches it. Lance's own tags would do
 * neither: with one on an old version every clean-up of the table fails (measured, 0.37.1), and a search by a text
 * index of the newest version would answer for it.
 */
import { randomUUID } from 'node:crypto';
import { copyFile, mkdir, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { writeAtomic } from '../../disk/atomic.ts';
import { RagError } from '../../errors.ts';
import { consolidate } from '../consolidate/consolidate.ts';
import { syncPath } from '../durable.ts';
import { isRemoved } from '../ledger.ts';
import { linkTable } from '../consolidate/link-table.ts';
import { readRecord } from '../write/record.ts';
import { emptyTrash, mainName, openMain, tablePath, trash, type IndexFolder } from '../tables.ts';
import { assertTagName, noSuchTag, readTag, tagFile, tagFolder, tagsOf, type Tag } from './tagged.ts';
import { inTurn, turnFile, type StillMine } from '../consolidate/turn.ts';
import { readView } from '../view.ts';

/**
 * Merges what may be merged, then names what main holds.
 * @throws usage when the name is taken, no-input when there is nothing, stopped when another run merges for minutes
 */
export async function makeTag(folder: IndexFolder, name: string, now: () => Date): Promise<Tag> {
  assertTagName(name);
  const encoder = await readRecord(folder.root);
  if (encoder !== null) await consolidate(folder, encoder);
  if (encoder === null || (await openMain(folder, 'chunks')) === undefined) throw nothingToTag(folder.root);
  if ((await readTag(folder.root, name)) !== undefined) throw taken(name);
  const tag = await inTurn(folder, (stillMine) => linkAll(folder, name, now().toISOString(), stillMine));
  if (typeof tag !== 'string') return tag;
  throw new RagError(
    'stopped',
    'Cannot tag the index: another run has been merging it for minutes, its end is wanted',
    { hint: `node dist/supervisor.js index tag ${name}   # again, later` },
  );
}

/** Under another name first: a tag is whole or it is not there. */
async function linkAll(folder: IndexFolder, name: string, made: string, stillMine: StillMine): Promise<Tag> {
  const { root } = folder;
  const tag = { name, made, ...(await countsOf(folder)) };
  await mkdir(tagsOf(root), { recursive: true });
  // Of tags that were cut short: it is our turn.
  for (const left of await readdir(tagsOf(root)))
    if (left.startsWith(newTag)) await rm(tagFolder(root, left), { recursive: true, force: true });
  const beside = tagFolder(root, `${newTag}${randomUUID()}`);
  await mkdir(beside);
  for (const kind of ['chunks', 'failures'] as const) {
    const place = tablePath(root, mainName(kind));
    if ((await openMain(folder, kind)) !== undefined)
      await linkTable(place, tablePath(beside, mainName(kind)));
  }
  for (const file of await recordsOf(root)) await copyFile(path.join(root, file), path.join(beside, file));
  await writeAtomic(path.join(beside, tagFile), `${JSON.stringify(tag, null, 2)}\n`, 0o644);
  await stillMine(); // else somebody may have removed a part of it
  await rename(beside, tagFolder(root, name)).catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'ENOTEMPTY' || error.code === 'EEXIST' ? taken(name) : error;
  });
  await syncPath(tagsOf(root));
  return tag;
}

const newTag = '.new.';

/** What is said of the tables: by what they were made, how they are searched. */
const recordsOf = async (root: string): Promise<string[]> =>
  (await readdir(root)).filter((name) => name.endsWith('.json') && name !== turnFile);

async function countsOf(folder: IndexFolder): Promise<Omit<Tag, 'name' | 'made'>> {
  const { main, shards, ledger } = await readView(folder);
  const complete = [...ledger.values()].filter((each) => !isRemoved(each));
  return {
    documents: (await main?.countRows('ordinal = 0')) ?? 0,
    chunks: (await main?.countRows()) ?? 0,
    left_out: { documents: complete.length, shards: shards.size },
  };
}

/** @throws preflight when there is no such tag */
export async function removeTag(folder: IndexFolder, name: string): Promise<void> {
  assertTagName(name);
  await mkdir(trash(folder), { recursive: true });
  await rename(tagFolder(folder.root, name), path.join(trash(folder), randomUUID())).catch(
    async (error: NodeJS.ErrnoException) => {
      throw error.code === 'ENOENT' ? await noSuchTag(folder.root, name) : error;
    },
  );
  await syncPath(tagsOf(folder.root));
  await emptyTrash(folder);
}

const taken = (name: string): RagError =>
  new RagError('usage', `Cannot tag as "${name}": there is such a version, a new name is wanted`, {
    hint: `node dist/supervisor.js index tag ${name} --delete   # or another name`,
  });

const nothingToTag = (root: string): RagError =>
  new RagError(
    'no-input',
    `Cannot tag the index in ${root}: nothing is in it, ingested documents are wanted`,
    {
      hint: 'node dist/supervisor.js ingest --here PATH',
    },
  );
