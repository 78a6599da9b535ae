import assert from 'node:assert/strict';
import { test } from 'node:test';
import { areLogits, makeBody, readRanking } from '../../src/models/rerank-answers.ts';

const question = { query: 'q', passages: ['a', 'b'], model: undefined };

test('makeBody() asks in the words of each kind of server', () => {
  const model = 'bge';
  assert.deepEqual(makeBody('documents', { ...question, model }), {
    model,
    query: 'q',
    documents: ['a', 'b'],
    top_n: 2,
  });
  assert.deepEqual(makeBody('texts', question), { query: 'q', texts: ['a', 'b'], truncate: true });
  assert.deepEqual(makeBody('pairs', { ...question, model }), { model, text_1: 'q', text_2: ['a', 'b'] });
});

for (const [server, answer] of [
  [
    'TEI',
    [
      { index: 1, score: 0.9 },
      { index: 0, score: 0.1 },
    ],
  ],
  [
    'vLLM',
    {
      id: 'rerank-1',
      model: 'm',
      usage: { total_tokens: 9 },
      results: [
        { index: 1, document: { text: 'b' }, relevance_score: 0.9 },
        { index: 0, document: { text: 'a' }, relevance_score: 0.1 },
      ],
    },
  ],
  [
    "vLLM's score route",
    {
      object: 'list',
      data: [
        { index: 0, object: 'score', score: 0.1 },
        { index: 1, object: 'score', score: 0.9 },
      ],
    },
  ],
  [
    'Cohere, Jina and llama-server',
    {
      results: [
        { index: 0, relevance_score: 0.1 },
        { index: 1, relevance_score: 0.9 },
      ],
      meta: {},
    },
  ],
] as const) {
  test(`readRanking() reads what ${server} answers, in whatever order`, () => {
    assert.deepEqual(readRanking(answer, 2), [0.1, 0.9]);
  });
}

for (const [what, answer] of [
  [
    'an index out of range',
    [
      { index: 0, score: 1 },
      { index: 2, score: 1 },
    ],
  ],
  [
    'an index that comes twice',
    [
      { index: 0, score: 1 },
      { index: 0, score: 1 },
    ],
  ],
  [
    'an index that is no number',
    [
      { index: '0', score: 1 },
      { index: 1, score: 1 },
    ],
  ],
  [
    'a negative index',
    [
      { index: -1, score: 1 },
      { index: 1, score: 1 },
    ],
  ],
  ['a passage without a score', [{ index: 0, score: 1 }]],
  [
    'a score that JSON made null of NaN',
    [
      { index: 0, score: 1 },
      { index: 1, score: null },
    ],
  ],
  [
    'a score that is text',
    [
      { index: 0, score: 1 },
      { index: 1, score: '0.5' },
    ],
  ],
  ['no list', { detail: 'no' }],
  ['null', null],
  ['an entry that is null', [null, null]],
] as const) {
  test(`readRanking() refuses ${what}`, () => {
    assert.throws(() => readRanking(answer, 2), { code: 'model-refused' });
  });
}

test('readRanking() refuses a score beyond what a number can hold', () => {
  assert.throws(() => readRanking([{ index: 0, score: Infinity }], 1), { code: 'model-refused' });
});

test('areLogits() needs one score outside 0 to 1', () => {
  assert.equal(areLogits([0, 0.5, 1]), false);
  assert.equal(areLogits([0.5, 1.0001]), true);
  assert.equal(areLogits([0.5, -0.1]), true);
});
