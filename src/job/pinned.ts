/** A run that answers from a version of the index: the same passages whoever ingests meanwhile. */
import type { Settings } from '../config/settings.ts';
import { RagError } from '../errors.ts';
import { pinnedFolder } from '../store/tagged.ts';

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
