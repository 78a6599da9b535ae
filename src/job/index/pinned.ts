/** A run that answers from a version of the index: the same passages whoever ingests meanwhile. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';

import type { Environment } from '../../config/load.ts';
import type { Settings } from '../../config/settings.ts';
import { readIfThere, writeAtomic } from '../../disk/atomic.ts';
import { lifeOf, makeOwner, parseOwner } from '../../disk/owner.ts';
import { codeOf, messageOf, RagError } from '../../errors.ts';
import { type Job, jobKey } from '../../slurm/job.ts';
import type { Store } from '../../store/types.ts';
import { pinnedFolder, tagFolder } from '../../store/versions/tagged.ts';
import { withIndex } from './index-store.ts';
import type { Intent } from '../prepare/intent.ts';
import { makeRetriever } from '../prepare/retriever.ts';

/**
 * The settings with the folder of the version that they name: it is an index of its own.
 * @throws preflight when there is no such version
 */
export async function atVersion(settings: Settings): Promise<Settings> {
  const { RAG_WORKING_DIR: root, RAG_INDEX_VERSION: name } = settings;
  return name === undefined ? settings : { ...settings, RAG_WORKING_DIR: await pinnedFolder(root, name) };
}

/** @param what for the message, after "Cannot". @throws usage */
export function assertNotPinned({ RAG_INDEX_VERSION: name }: Settings, what: string): void {
  if (name === undefined) return;
  throw new RagError(
    'usage',
    `Cannot ${what}: RAG_INDEX_VERSION is "${name}", and a version is never changed`,
    { hint: 'the same without RAG_INDEX_VERSION (--index-version)' },
  );
}

/** Disposing it deletes the version. */
export interface Pinned extends AsyncDisposable {
  readonly settings: Settings;
  /** Why it could not be pinned. */
  readonly warnings: readonly string[];
}

const ownerFile = 'owner.json';

export interface PinInput {
  readonly settings: Settings;
  readonly environment: Environment;
  readonly intent: Pick<Intent, 'kind'> & { readonly inputs?: readonly string[] };
  readonly job: Job;
}

/**
 * A version of its own for a run whose workload asks from its first step to its last. Made before its store host
 * starts, because what that has open stays open; so not where the run ingests first.
 */
export async function pinForWorkload(
  { settings, environment, intent, job }: PinInput,
  signal: AbortSignal,
): Promise<Pinned> {
  const { RAG_WORKING_DIR: root, RAG_INDEX_VERSION: given } = settings;
  const asked = intent.kind === 'workload' && intent.inputs?.length === 0 && given === undefined;
  // A version has the vectors of one encoder.
  if (!asked || !existsSync(join(root, 'index.json')) || makeRetriever(settings).encoders.length > 1)
    return unpinned(settings);
  const ours = `run-${jobKey(job)}.${job.node}.`;
  const name = `${ours}${process.pid}`;
  try {
    await withIndex(root, environment, signal, async (store) => {
      await removeDead(store, root, ours);
      await store.tag(name);
      await writeAtomic(join(tagFolder(root, name), ownerFile), JSON.stringify(makeOwner()));
    });
  } catch (error) {
    if (codeOf(error) === 'aborted') throw error;
    return unpinned(
      settings,
      `The index is not pinned, what others ingest may be found: ${messageOf(error)}`,
    );
  }
  const never = new AbortController().signal;
  return {
    settings: await atVersion({ ...settings, RAG_INDEX_VERSION: name }),
    warnings: [],
    [Symbol.asyncDispose]: () => withIndex(root, environment, never, (store) => store.untag(name)),
  };
}

const unpinned = (settings: Settings, ...warnings: string[]): Pinned => ({
  settings,
  warnings,
  [Symbol.asyncDispose]: async () => {},
});

/** Versions of runs that were killed, here or, for all that is known, on an earlier start of this job on this node. */
async function removeDead(store: Store, root: string, ours: string): Promise<void> {
  for (const { name } of await store.tags()) {
    const owner = parseOwner((await readIfThere(join(tagFolder(root, name), ownerFile))) ?? '');
    if (owner === undefined) continue; // a user's
    const life = lifeOf(owner);
    if (life === 'dead' || (life === 'unknown' && name.startsWith(ours))) await store.untag(name);
  }
}
