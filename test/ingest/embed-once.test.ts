import assert from 'node:assert/strict';
import { test } from 'node:test';
import { codeOf, RagError } from '../../src/errors.ts';
import { type Embedded, makeEmbedOnce } from '../../src/ingest/embed-once.ts';
import type { Embed } from '../../src/models/types.ts';
import { textHash } from '../../src/store/digest.ts';

const { signal } = new AbortController();
const nothingStored = { vectorsOf: async () => new Map<string, Float32Array>() };
const vectorOf = (text: string): Float32Array => Float32Array.of(text.length, 0);

interface Model {
  readonly embed: Embed;
  readonly requests: string[][];
  /** Lets the requests answer that wait. */
  open(): void;
}

function openModel({ waits = false, refuses = '' } = {}): Model {
  const requests: string[][] = [];
  const gate = Promise.withResolvers<void>();
  if (!waits) gate.resolve();
  return {
    requests,
    open: gate.resolve,
    embed: async ({ texts }) => {
      requests.push([...texts]);
      await gate.promise;
      const index = texts.indexOf(refuses);
      if (index !== -1)
        throw Object.assign(new RagError('bad-vector', 'Cannot embed: not a number'), { index });
      return texts.map(vectorOf);
    },
  };
}

const vectors = (embedded: ReadonlyMap<string, Embedded>): unknown =>
  Object.fromEntries(
    [...embedded].map(([text, result]) => [text, 'vector' in result ? result.vector[0] : 'refused']),
  );

test('a text is sent once, in its batch, beside its batch and after it', async () => {
  const model = openModel({ waits: true });
  const embedOnce = makeEmbedOnce(model.embed, nothingStored);
  const first = embedOnce(['a', 'bb', 'a'], signal);
  const second = embedOnce(['bb', 'ccc'], signal);
  model.open();
  assert.deepEqual([(await first).sent, (await second).sent], [2, 1]);
  assert.deepEqual(vectors((await second).embedded), { bb: 2, ccc: 3 });
  const third = await embedOnce(['ccc', 'a'], signal);
  assert.deepEqual([third.sent, vectors(third.embedded)], [0, { ccc: 3, a: 1 }]);
  assert.deepEqual(model.requests, [['a', 'bb'], ['ccc']]);
});

test('what the index has is not sent', async () => {
  const model = openModel();
  const stored = new Map([[textHash('old'), Float32Array.of(9, 0)]]);
  const embedOnce = makeEmbedOnce(model.embed, { vectorsOf: async () => stored });
  const { embedded, sent } = await embedOnce(['old', 'new'], signal);
  assert.deepEqual([sent, vectors(embedded)], [1, { old: 9, new: 3 }]);
  assert.deepEqual(model.requests, [['new']]);
});

test('a text that the model refuses is refused wherever it stands, and the others are sent again', async () => {
  const model = openModel({ waits: true, refuses: 'bad' });
  const embedOnce = makeEmbedOnce(model.embed, nothingStored);
  const first = embedOnce(['a', 'bad', 'bb'], signal);
  const second = embedOnce(['bad'], signal);
  model.open();
  assert.deepEqual(vectors((await first).embedded), { a: 1, bad: 'refused', bb: 2 });
  assert.deepEqual(vectors((await second).embedded), { bad: 'refused' });
  assert.deepEqual(model.requests, [
    ['a', 'bad', 'bb'],
    ['a', 'bb'],
  ]);
});

test('what fails for no text fails all who wait for it, and can be asked for again', async () => {
  let failures = 1;
  const embed: Embed = async ({ texts }) => {
    if (failures-- > 0) throw new RagError('aborted', 'Cannot embed: stopped');
    return texts.map(vectorOf);
  };
  const embedOnce = makeEmbedOnce(embed, nothingStored);
  const both = await Promise.allSettled([embedOnce(['a', 'b'], signal), embedOnce(['b'], signal)]);
  assert.deepEqual(
    both.map((result) => (result.status === 'rejected' ? codeOf(result.reason) : 'no')),
    ['aborted', 'aborted'],
  );
  assert.equal((await embedOnce(['b'], signal)).sent, 1);
});

test('vectors are kept up to 8 MiB, those that were asked for last', async () => {
  const embed: Embed = async ({ texts }) => texts.map(() => new Float32Array(256 * 1024));
  const embedOnce = makeEmbedOnce(embed, nothingStored);
  const sent = async (...texts: string[]): Promise<number> => (await embedOnce(texts, signal)).sent;
  await sent('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h');
  assert.equal(await sent('a'), 0);
  await sent('i');
  assert.deepEqual([await sent('a'), await sent('b')], [0, 1]);
});
