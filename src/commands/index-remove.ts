import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';

import { RagError } from '../errors.ts';
import { withoutControls } from '../observe/terminal.ts';
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
  const removed = encoder === null ? 0 : documents.length;
  if (json) print(JSON.stringify({ removed, documents }));
  else {
    for (const document of documents) print(withoutControls(document));
    print(yes ? `${removed} removed` : `${documents.length} would be removed: add --yes`);
  }
  return 0;
}
