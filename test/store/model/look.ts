/** What an index shows to whoever looks now, against what it must show. */
import assert from 'node:assert/strict';
import { openIndex } from '../../../src/store/operations.ts';
import { readTag, tagFolder } from '../../../src/store/versions/tagged.ts';
import type { Problem } from '../../../src/store/look/verify.ts';
import { vectorOf } from '../samples.ts';
import { chunksOfEdition, documents, editionOfChunk, editionOfHash } from './editions.ts';
import type { State, Truth } from './truth.ts';

const all = 1000;
/** A consolidation that was cut short has not brought them up to date; the next one does. */
const isOfIndexes = /^the (text index|index of the vectors) covers/;

/**
 * @param byWords it is asked for words, too: that makes indexes, and a shard with one does not become main by its name
 * @throws AssertionError when something is lost, doubled or short
 */
export async function look(root: string, truth: Truth, byWords: boolean): Promise<void> {
  const index = openIndex(root, () => undefined);
  const [byVector = []] = await index.searchDense([vectorOf('x')], all);
  const chunks = byVector.map(({ chunk }) => chunk).sort();
  if (byWords) {
    const [byText = []] = await index.searchText(['common'], all);
    assert.deepEqual(byText.map(({ chunk }) => chunk).sort(), chunks, 'words and vectors find the same');
  }
  const shown = shownIn(chunks);
  for (const document of documents) truth.saw(document, shown.get(document) ?? '');

  const known = await index.known(documents);
  for (const document of documents) {
    const state = shown.get(document) ?? '';
    const { done = null, committed = [] } = known.get(document) ?? {};
    assert.equal(done === null ? '' : editionOfHash.get(done), state, `${document} is known as it is shown`);
    for (const [edition, kept] of truth.pending(document))
      for (const chunk of edition === state ? [] : kept)
        assert.ok(committed.includes(chunk), `a chunk of ${edition} was acknowledged and is gone`);
  }

  const counts = { documents: shown.size, chunks: chunks.length };
  const inspected = await index.inspect();
  assert.deepEqual({ documents: inspected.documents.processed, chunks: inspected.chunks }, counts, 'inspect');
  const verified = await index.verify();
  assert.deepEqual({ documents: verified.documents, chunks: verified.chunks }, counts, 'verify');
  assert.deepEqual(ofDocuments(verified.problems), []);
}

/** A tag is whole or it is not there. */
export async function lookAtTag(root: string, name: string): Promise<void> {
  const tag = await readTag(root, name);
  if (tag === undefined) return;
  const { documents, chunks, problems } = await openIndex(tagFolder(root, name), () => undefined).verify();
  assert.deepEqual([documents, chunks], [tag.documents, tag.chunks]);
  assert.deepEqual(ofDocuments(problems), []);
}

const ofDocuments = (problems: readonly Problem[]): Problem[] =>
  problems.filter(({ problem }) => !isOfIndexes.test(problem));

/** The edition of each document, each whole and once. */
function shownIn(chunks: readonly string[]): ReadonlyMap<string, State> {
  assert.equal(new Set(chunks).size, chunks.length, 'no chunk is shown twice');
  const shown = new Map<string, State>();
  for (const chunk of chunks) {
    const { document, edition } = editionOfChunk.get(chunk) ?? assert.fail('a chunk that nobody wrote');
    const before = shown.get(document) ?? edition;
    assert.equal(edition, before, `two editions of ${document} are shown beside each other`);
    shown.set(document, edition);
  }
  for (const edition of shown.values()) {
    const is = chunks.filter((chunk) => editionOfChunk.get(chunk)?.edition === edition);
    const wanted = chunksOfEdition.get(edition) ?? [];
    assert.equal(
      is.length,
      wanted.length,
      `${edition} is shown with ${is.length} of ${wanted.length} chunks`,
    );
  }
  return shown;
}
