/** Documents by name, out of the index and out of what was uploaded. */
import { matchesGlob } from 'node:path';
import { fileOf } from '../../ingest/origins.ts';
import type { Uploads } from '../../ingest/uploads/uploads.ts';
import type { RemoveRequest } from '../../library.ts';
import { inTurns } from '../../store/in-turns.ts';
import { isPattern } from '../../store/pattern.ts';
import type { Store } from '../../store/types.ts';
import { never } from '../../supervise/pause.ts';
import type { Removal } from './removal.ts';

export interface RemoveParts {
  readonly uploads: Pick<Uploads, 'read' | 'remove'>;
  readonly store: Pick<Store, 'selectNamed'>;
  readonly remove: Removal;
}

const filePrefix = 'file:';

/** @returns what was removed, or would be */
export async function removeDocuments(
  { uploads, store, remove }: RemoveParts,
  { ids = [], names = [], dryRun = false }: RemoveRequest,
): Promise<readonly string[]> {
  const current = await uploads.read();
  const files = names
    .filter((each) => each.startsWith(filePrefix))
    .map((each) => each.slice(filePrefix.length));
  const keys = names.filter((each) => !each.startsWith(filePrefix));
  const named = names.length === 0 ? [] : await store.selectNamed({ keys, files });
  const further = new Set([...current.values()].flatMap((upload) => upload.further));
  const sent = await meantOf([...current.keys(), ...further], ids, keys);
  const inIndex = new Set([...named.map(({ document }) => document), ...(await idsOf(store, ids))]);
  const documents = [...new Set([...inIndex, ...sent])].toSorted();
  if (dryRun || documents.length === 0) return documents;
  // First what would be ingested again: a crash in between leaves documents that can be removed once more.
  await uploads.remove(documents);
  const ofIndex = documents.filter((id) => inIndex.has(id) || !further.has(id));
  await remove(ofIndex, never);
  return documents;
}

/** Comparisons before others are let in: a hundredth of a second. */
const perTurn = 10_000;

/** Those of these keys that are an id, a name, or match a name. Thousands of both are millions of comparisons. */
async function meantOf(
  keys: readonly string[],
  ids: readonly string[],
  names: readonly string[],
): Promise<string[]> {
  const asTheyStand = new Set([...ids, ...names]);
  const globs = names.filter(isPattern);
  const meant: string[] = [];
  const look = (key: string): void => {
    if (asTheyStand.has(key) || globs.some((glob) => matchesGlob(key, glob))) meant.push(key);
  };
  await inTurns(keys, look, { perTurn: Math.ceil(perTurn / (globs.length + 1)), signal: never });
  return meant;
}

/** Those of these keys that the index has, rows of a corpus too. A key may look like a pattern, which is not meant. */
export async function idsOf(store: Pick<Store, 'selectNamed'>, keys: readonly string[]): Promise<string[]> {
  if (keys.length === 0) return [];
  const wanted = new Set(keys);
  const found = await store.selectNamed({ keys, files: [] });
  return found.map(({ document }) => document).filter((id) => wanted.has(id) || wanted.has(fileOf(id)));
}
