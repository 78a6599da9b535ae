import assert from 'node:assert/strict';
import { test } from 'node:test';
import { codeOf, RagError } from '../../src/errors.ts';
import type { Metric } from '../../src/models/block.ts';
import { culpritOf } from '../../src/models/embed-parts.ts';
import { makeEncode } from '../../src/models/encode.ts';
import type { SidecarAsk } from '../../src/models/sidecar.ts';
import type { Embed } from '../../src/models/types.ts';

const { signal } = new AbortController();

type Item = string | { readonly title: string; readonly text: string };
const textOf = (item: Item): string => (typeof item === 'string' ? item : item.text);

interface Asked {
  readonly texts: readonly Item[];
  readonly kind: unknown;
  readonly encoder: unknown;
}

const blockOf = (vectors: readonly (readonly number[])[]): Record<string, unknown> => ({
  dimensions: vectors[0]?.length,
  vectors: Buffer.from(new Float32Array(vectors.flat()).buffer).toString('base64'),
});

/** An encoder whose children answer with `reply` of each text, or throw what it throws. */
function setUp(
  reply: (text: string) => readonly number[],
  { metric = 'dot', type = 'f16' }: { readonly metric?: Metric; readonly type?: 'f16' | 'f32' } = {},
): { readonly embed: Embed; readonly asked: Asked[] } {
  const asked: Asked[] = [];
  const ask = async ({ frame }: SidecarAsk): Promise<Record<string, unknown>> => {
    const { texts, kind, encoder } = frame as unknown as Asked;
    asked.push({ texts, kind, encoder });
    return blockOf(texts.map((item) => reply(textOf(item))));
  };
  const untilEncoder = async (): Promise<{ name: string; dimensions: number; metric: Metric }> => ({
    name: 'medcpt',
    dimensions: 2,
    metric,
  });
  return { embed: makeEncode({ sidecars: { ask }, untilEncoder, type }), asked };
}

const passages = (texts: readonly string[]): Parameters<Embed>[0] => ({ texts, kind: 'passage', signal });

test('a passage goes to its encoder with its title, a query as it stands', async () => {
  const { embed, asked } = setUp(() => [1, 2]);
  await embed({ ...passages(['one', 'two']), titles: ['First', ''] });
  await embed({ texts: ['three'], kind: 'query', signal });
  assert.deepEqual(asked, [
    {
      texts: [
        { title: 'First', text: 'one' },
        { title: '', text: 'two' },
      ],
      kind: 'passage',
      encoder: 'medcpt',
    },
    { texts: ['three'], kind: 'query', encoder: 'medcpt' },
  ]);
});

test('vectors that are compared by cosine are brought to length 1, others keep their length', async () => {
  for (const [metric, expected] of [
    ['cosine', [0.6, 0.8]],
    ['dot', [3, 4]],
    ['l2', [3, 4]],
  ] as const) {
    const [vector] = await setUp(() => [3, 4], { metric }).embed(passages(['one']));
    assert.deepEqual(vector, Float32Array.from(expected));
  }
});

test('a long list is asked for in parts, and comes back in order', async () => {
  const { embed, asked } = setUp((text) => [Number(text), 1]);
  const texts = Array.from({ length: 150 }, (_, at) => String(at));
  const vectors = await embed(passages(texts));
  assert.deepEqual(
    vectors.map(([first]) => first),
    texts.map(Number),
  );
  assert.deepEqual(
    asked.map((each) => each.texts.length),
    [64, 64, 22],
  );
});

test('of no texts nobody is asked', async () => {
  const { embed, asked } = setUp(() => [1, 2]);
  assert.deepEqual(await embed(passages([])), []);
  assert.equal(asked.length, 0);
});

test('the one text without a usable vector is named by its place in the whole list', async () => {
  for (const [what, bad, more] of [
    ['not a number', [Number.NaN, 1], {}],
    ['no direction', [0, 0], { metric: 'cosine' }],
    ['beyond half floats', [70_000, 1], {}],
  ] as const) {
    const { embed } = setUp((text) => (text.startsWith('97') ? bad : [1, 2]), more);
    const texts = Array.from({ length: 100 }, (_, at) => String(at));
    await assert.rejects(embed(passages(texts)), (error) => {
      assert.equal(codeOf(error), 'bad-vector', what);
      assert.equal(culpritOf(error), 97, what);
      return true;
    });
  }
});

test('a number beyond half floats is a fine one where single floats are stored', async () => {
  const [vector] = await setUp(() => [70_000, 1], { type: 'f32' }).embed(passages(['one']));
  assert.deepEqual(vector, Float32Array.of(70_000, 1));
});

test('an answer of another size than the encoder promised is refused', async () => {
  await assert.rejects(setUp(() => [1, 2, 3]).embed(passages(['one'])), /3 dimensions, 2 are wanted/);
});

test('a text that ends its child is found, and the others have their vectors asked for alone', async () => {
  const { embed, asked } = setUp((text) => {
    if (text === 'poison') throw new RagError('model-unavailable', 'Cannot ask: it ended twice');
    return [1, 2];
  });
  await assert.rejects(embed(passages(['good', 'poison', 'fine'])), (error) => culpritOf(error) === 1);
  assert.deepEqual(
    asked.map(({ texts }) => texts.map(textOf).join()),
    ['good,poison,fine', 'good', 'poison', 'canary'],
  );
});

test('an encoder that fails every text is what has failed, and no text', async () => {
  const { embed } = setUp(() => {
    throw new RagError('model-unavailable', 'Cannot ask: it ended twice');
  });
  await assert.rejects(embed(passages(['one', 'two'])), (error) => {
    assert.equal(codeOf(error), 'model-unavailable');
    assert.equal(culpritOf(error), undefined);
    return true;
  });
});
