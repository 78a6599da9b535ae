import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RagError } from '../../src/errors.ts';
import type { Generate, Rerank } from '../../src/models/types.ts';
import { type AnswerParts, makeAnswer, NOTHING_FOUND } from '../../src/query/answer.ts';
import { lexicalScores } from '../../src/services/lexical-scores.ts';
import type { Store } from '../../src/store/types.ts';
import type { TokenCounter } from '../../src/tokens/counter.ts';
import type { Hit } from '../../src/work.ts';
import { storedHit, storeFinding, type StoredHit } from './hits.ts';

const { signal } = new AbortController();
const hits = [
  storedHit('harbour', 'The harbour is in Rotterdam.', { page: 2 }),
  storedHit('tower', 'The tower is in Paris.'),
];

const quarters: TokenCounter = {
  count: async (texts) => texts.map((text) => Math.ceil(text.length / 4)),
  learn: () => undefined,
};

interface Scene {
  readonly dense?: StoredHit[];
  readonly lexical?: StoredHit[];
  readonly rerank?: Rerank;
  readonly generate?: Generate;
  readonly tokens?: TokenCounter;
}

const saying = (...pieces: string[]): Generate =>
  async function* () {
    yield* pieces;
  };

const never: Generate = () => assert.fail('the model was asked');

function answerOf({
  dense = hits,
  lexical = hits,
  rerank,
  generate = saying('The harbour ', 'is in Rotterdam [1].'),
  tokens = quarters,
}: Scene): ReturnType<typeof makeAnswer> {
  const store: Partial<Store> = storeFinding({ dense: () => dense, lexical: () => lexical });
  let clock = 0;
  const parts: AnswerParts = {
    store: store as Store,
    embed: ({ texts }) => Promise.resolve(texts.map(() => Float32Array.of(1))),
    rerank,
    generate,
    model: () => 'parrot',
    tokens,
    settings: { candidates: 10, rrfK: 60, contextTokens: 4096, answerTokens: 256, minScore: 0.01 },
    now: () => (clock += 10),
  };
  return makeAnswer(parts);
}

test('answer() streams the answer and returns the record', async () => {
  const pieces: string[] = [];
  const record = await answerOf({})({
    query: 'Where?',
    topk: 1,
    onText: (piece) => pieces.push(piece),
    signal,
  });
  assert.deepEqual(pieces, ['The harbour ', 'is in Rotterdam [1].']);
  assert.equal(record.answer, 'The harbour is in Rotterdam [1].');
  assert.deepEqual(record.sentences, [{ text: record.answer, cites: [1], support: 'quoted' }]);
  assert.deepEqual(
    record.citations.map(({ n, file, page }) => [n, file, page]),
    [[1, 'harbour.pdf', 2]],
  );
  const { query, retrieved, reranked, model, timings_ms } = record;
  assert.deepEqual(
    { query, retrieved, reranked, model },
    { query: 'Where?', retrieved: 1, reranked: false, model: 'parrot' },
  );
  assert.deepEqual(timings_ms, { retrieve: 10, rerank: 10, generate: 10, total: 30 });
});

test('answer() numbers the passages in the order of the reranker', async () => {
  const rerank: Rerank = ({ passages }) =>
    Promise.resolve(passages.map((text) => (text.includes('tower') ? 0.9 : 0.2)));
  const shown: Hit[][] = [];
  const record = await answerOf({ rerank })({
    query: 'Where?',
    topk: 5,
    onPassages: (list) => shown.push([...list]),
    signal,
  });
  assert.deepEqual(
    shown.map((list) => list.map(({ chunk }) => chunk)),
    [['tower', 'harbour']],
  );
  assert.equal(record.reranked, true);
  assert.equal(record.citations[0]?.score, 0.9);
  assert.equal(record.sentences[0]?.support, 'unsupported');
});

test('answer() says that nothing was found, without asking the model, when no word and no passage fits', async () => {
  const rerank: Rerank = ({ passages }) => Promise.resolve(passages.map(() => 0.001));
  const pieces: string[] = [];
  const record = await answerOf({ lexical: [], rerank, generate: never })({
    query: 'Where?',
    topk: 5,
    onText: (piece) => pieces.push(piece),
    signal,
  });
  assert.equal(record.answer, NOTHING_FOUND);
  assert.deepEqual(pieces, [NOTHING_FOUND]);
  assert.deepEqual([record.retrieved, record.citations, record.sentences], [0, [], []]);
  const empty = await answerOf({ dense: [], lexical: [], generate: never })({
    query: 'Where?',
    topk: 5,
    signal,
  });
  assert.equal(empty.answer, NOTHING_FOUND);
});

const byWords: Rerank = ({ query, passages }) => Promise.resolve(lexicalScores(query, passages));

test('answer() judges by RAG_MIN_SCORE on the scale of the reranker without a model, too', async () => {
  const ask = (query: string, generate?: Generate): ReturnType<ReturnType<typeof answerOf>> =>
    answerOf({ lexical: [], rerank: byWords, ...(generate && { generate }) })({ query, topk: 5, signal });
  for (const query of ['How do volcanoes erupt?', 'What is the and of?', '¿?', 'Почему трава зелёная?'])
    assert.equal((await ask(query, never)).answer, NOTHING_FOUND, query);
  for (const query of [
    'harbour',
    'In which of the many large cities of the world is the old harbour said to be?',
  ])
    assert.equal((await ask(query)).retrieved, 2, query);
});

test('answer() asks the model when only words fit, and when no reranker can judge', async () => {
  const low: Rerank = ({ passages }) => Promise.resolve(passages.map(() => 0.001));
  assert.equal((await answerOf({ rerank: low })({ query: 'Where?', topk: 5, signal })).retrieved, 2);
  assert.equal((await answerOf({ lexical: [] })({ query: 'Where?', topk: 5, signal })).retrieved, 2);
});

test('answer() goes on without a reranker that fails', async () => {
  const rerank: Rerank = () => Promise.reject(new RagError('model-unavailable', 'Cannot rerank'));
  const record = await answerOf({ rerank })({ query: 'Where?', topk: 5, signal });
  assert.deepEqual([record.reranked, record.retrieved], [false, 2]);
});

test('answer() tries a shorter prompt when the model finds it too long, and tells only the passages of that one', async () => {
  const long = Array.from({ length: 20 }, (_, i) => storedHit(`c${i}`, `${i} `.repeat(350)));
  const told: number[] = [];
  let asked = 0;
  const generate: Generate = async function* ({ messages }) {
    asked += 1;
    if ((messages.at(-1)?.content.length ?? 0) > 10_000) throw new RagError('too-long', 'Cannot generate');
    yield 'Short [1].';
  };
  const record = await answerOf({ dense: long, lexical: long, generate })({
    query: 'Where?',
    topk: 20,
    onPassages: (list) => told.push(list.length),
    signal,
  });
  assert.equal(asked, 2);
  assert.deepEqual(told, [record.retrieved]);
});

test('answer() passes on that the model broke off', async () => {
  const generate: Generate = async function* () {
    yield 'The harb';
    throw new RagError('model-unavailable', 'Cannot generate');
  };
  await assert.rejects(answerOf({ generate })({ query: 'Where?', topk: 5, signal }), {
    code: 'model-unavailable',
  });
});

test('answer() tells the counter of tokens what the server counted', async () => {
  const learned: (readonly [number, number])[] = [];
  const generate: Generate = async function* ({ messages, onPromptTokens }) {
    yield 'So [1].';
    onPromptTokens?.(messages.reduce((sum, { content }) => sum + content.length, 0));
  };
  const tokens: TokenCounter = {
    count: async (texts) => texts.map(({ length }) => length),
    learn: (counted, served) => void learned.push([counted, served]),
  };
  await answerOf({ generate, tokens })({ query: 'Where?', topk: 1, signal });
  assert.equal(learned.length, 1);
  const [counted = 0, served = 0] = learned[0] ?? [];
  assert.equal(counted, served);
});
