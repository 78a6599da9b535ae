import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';

import type { Connection } from '../client/connection.ts';
import { removeThere } from '../client/documents.ts';
import { RagError } from '../errors.ts';
import { openUploads } from '../ingest/uploads/uploads.ts';
import { removeDocuments } from '../job/documents/remove-documents.ts';
import { onOneLine } from '../observe/terminal.ts';
import type { Store } from '../store/types.ts';
import type { IndexInput } from './index-actions.ts';

const filePrefix = 'file:';

/** Lists what it would remove; with `--yes` it does. Done twice it is done once. */
export async function removeFromIndex(input: IndexInput): Promise<number> {
  const { store, folder, furtherToo, words, yes } = input;
  const names = namesOf(words);
  const uploads = openUploads(folder);
  // The first knows what there is: it is the last to forget it, so that a removal that was cut can be done again.
  const remove = async (documents: readonly string[]): Promise<void> => {
    await furtherToo((further) => removeFrom(further, documents));
    await removeFrom(store, documents);
  };
  return show(input, await removeDocuments({ uploads, store, remove }, { names, dryRun: !yes }));
}

/** The same by the supervisor that runs. */
export async function removeThroughSupervisor(
  connection: Connection,
  input: Pick<IndexInput, 'words' | 'json' | 'yes' | 'print'> & { readonly signal: AbortSignal },
): Promise<number> {
  const { words, yes, signal } = input;
  const { documents } = await removeThere(connection, { names: namesOf(words), dryRun: !yes, signal });
  return show(input, documents);
}

/** @throws usage */
function namesOf(words: readonly string[]): string[] {
  if (words.length > 0)
    return words.map((word) =>
      word.startsWith(filePrefix) ? `${filePrefix}${resolve(word.slice(filePrefix.length))}` : word,
    );
  throw new RagError('usage', 'Cannot remove: nothing is named, a key, a glob or file:PATH is wanted', {
    hint: "node dist/supervisor.js index remove 'drafts/**'",
  });
}

async function removeFrom(store: Store, documents: readonly string[]): Promise<void> {
  const encoder = documents.length > 0 ? await store.encoder() : null;
  if (encoder === null) return;
  await store.beginWriting(encoder, `remove-${randomBytes(4).toString('hex')}`);
  await store.remove(documents);
  await store.consolidate();
}

function show(
  { json, yes, print }: Pick<IndexInput, 'json' | 'yes' | 'print'>,
  documents: readonly string[],
): number {
  if (json) print(JSON.stringify({ removed: yes ? documents.length : 0, documents }));
  else {
    for (const document of documents) print(onOneLine(document));
    print(outcomeOf(documents.length, yes));
  }
  return 0;
}

function outcomeOf(found: number, yes: boolean): string {
  if (found === 0) return 'nothing in the index has such a name';
  return yes ? `${found} removed` : `${found} would be removed: add --yes`;
}
