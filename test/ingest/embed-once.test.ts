import assert from 'node:assert/strict';
import { test } from 'node:test';
import { codeOf, RagError } from '../../src/errors.ts';
import { type Embedded, makeEmbedOnce, type Passage, withoutVectors } from '../../src/ingest/embed-once.ts';
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

const vectors = (embedded: readonly Embedded[]): unknown[] =>
  embedded.map((result) => ('vector' in result ? result.vector[0] : 'refused'));

const untitled = (...texts: string[]): Passage[] => texts.map((text) => ({ title: '', text }));

test('a text is sent once, in its batch, beside its batch and after it', async () => {
  const model = openModel({ waits: true });
  const embedOnce = makeEmbedOnce(model.embed, nothingStored);
  const first = embedOnce(untitled('a', 'bb', 'a'), signal);
  const second = embedOnce(untitled('bb', 'ccc'), signal);
  model.open();
  assert.deepEqual([(await first).sent, (await second).sent], [2, 1]);
  assert.deepEqual(vectors((await second).embedded), [2, 3]);
  const third = await embedOnce(untitled('ccc', 'a'), signal);
  assert.deepEqual([third.sent, vectors(third.embedded)], [0, [3, 1]]);
  assert.deepEqual(model.requests, [['a', 'bb'], ['ccc']]);
});

test('what the index has is not sent', async () => {
  const model = openModel();
  const stored = new Map([[textHash('old'), Float32Array.of(9, 0)]]);
  const embedOnce = makeEmbedOnce(model.embed, { vectorsOf: async () => stored });
  const { embedded, sent } = await embedOnce(untitled('old', 'new'), signal);
  assert.deepEqual([sent, vectors(embedded)], [1, [9, 3]]);
  assert.deepEqual(model.requests, [['new']]);
});

test('a text that the model refuses is refused wherever it stands, and the others are sent again', async () => {
  const model = openModel({ waits: true, refuses: 'bad' });
  const embedOnce = makeEmbedOnce(model.embed, nothingStored);
  const first = embedOnce(untitled('a', 'bad', 'bb'), signal);
  const second = embedOnce(untitled('bad'), signal);
  model.open();
  assert.deepEqual(vectors((await first).embedded), [1, 'refused', 2]);
  assert.deepEqual(vectors((await second).embedded), ['refused']);
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
  const both = await Promise.allSettled([
    embedOnce(untitled('a', 'b'), signal),
    embedOnce(untitled('b'), signal),
  ]);
  assert.deepEqual(
    both.map((result) => (result.status === 'rejected' ? codeOf(result.reason) : 'no')),
    ['aborted', 'aborted'],
  );
  assert.equal((await embedOnce(untitled('b'), signal)).sent, 1);
});

test('vectors are kept up to 8 MiB, those that were asked for last', async () => {
  const embed: Embed = async ({ texts }) => texts.map(() => new Float32Array(256 * 1024));
  const embedOnce = makeEmbedOnce(embed, nothingStored);
  const sent = async (...texts: string[]): Promise<number> =>
    (await embedOnce(untitled(...texts), signal)).sent;
  await sent('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h');
  assert.equal(await sent('a'), 0);
  await sent('i');
  assert.deepEqual([await sent('a'), await sent('b')], [0, 1]);
});

test('an encoder that reads titles gets them, and equal texts under two titles are two passages', async () => {
  const requests: (readonly string[] | undefined)[][] = [];
  const embed: Embed = async ({ texts, titles }) => {
    requests.push([titles, texts]);
    return texts.map((text, at) => vectorOf(`${titles?.[at]}${text}`));
  };
  const stored = async (): Promise<never> => assert.fail('the index knows no titles');
  const embedOnce = makeEmbedOnce(embed, { vectorsOf: stored }, { titled: true });
  const passages = [
    { title: 'A', text: 'same' },
    { title: 'Bee', text: 'same' },
    { title: 'A', text: 'same' },
  ];
  const { embedded, sent } = await embedOnce(passages, signal);
  assert.deepEqual([sent, vectors(embedded)], [2, [5, 7, 5]]);
  assert.deepEqual(requests, [
    [
      ['A', 'Bee'],
      ['same', 'same'],
    ],
  ]);
});

test('where words alone are searched nothing is sent and every row is complete', async () => {
  const { embedded, sent } = await withoutVectors(untitled('a', 'b'), signal);
  assert.equal(sent, 0);
  assert.deepEqual(embedded, [{ vector: new Float32Array(0) }, { vector: new Float32Array(0) }]);
});
