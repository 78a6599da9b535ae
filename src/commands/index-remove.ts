import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';

import { RagError } from '../errors.ts';
import { onOneLine } from '../observe/terminal.ts';
import type { IndexInput } from './index-actions.ts';

const filePrefix = 'file:';

/** Lists what it would remove; with `--yes` it does. Done twice it is done once. */
export async function removeFromIndex({ store, words, json, yes, print }: IndexInput): Promise<number> {
  if (words.length === 0) {
    throw new RagError('usage', 'Cannot remove: nothing is named, a key, a glob or file:PATH is wanted', {
      hint: "node dist/supervisor.js index remove 'drafts/**'",
    });
  }
  const files = words.filter((word) => word.startsWith(filePrefix));
  const found = await store.selectNamed({
    keys: words.filter((word) => !word.startsWith(filePrefix)),
    files: files.map((word) => resolve(word.slice(filePrefix.length))),
  });
  const documents = found.map(({ document }) => document).sort();
  const encoder = yes && documents.length > 0 ? await store.encoder() : null;
  if (encoder !== null) {
    await store.beginWriting(encoder, `remove-${randomBytes(4).toString('hex')}`);
    await store.remove(documents);
    await store.consolidate();
  }
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
