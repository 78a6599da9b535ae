/** A file of questions, as people have them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type BatchQuestion, readQuestions } from '../../src/query/batch-questions.ts';

const readings: [string, BatchQuestion[]][] = [
  [
    '{"id":"a","query":"Why?"}\n{"id":7,"question":"How?"}',
    [
      { id: 'a', query: 'Why?' },
      { id: '7', query: 'How?' },
    ],
  ],
  [
    '\uFEFF{"_id":"a","text":"Why?","golden_answers":[]}\r\n\n{"query":"How?"}\n',
    [
      { id: 'a', query: 'Why?' },
      { id: '3', query: 'How?' },
    ],
  ],
];
for (const [text, expected] of readings)
  test(`readQuestions() reads ${JSON.stringify(text)}`, () => {
    assert.deepEqual(readQuestions(text, 'q.jsonl'), expected);
  });

const refused: [string, RegExp][] = [
  ['', /it has no question/],
  ['\n\n', /it has no question/],
  ['{"id":"a","query":"Why?"}\nWhy?', /line 2: not JSON/],
  ['{"id":"a"}', /line 1: it has no text/],
  ['{"id":"a","query":" "}', /line 1: it has no text/],
  ['{"id":["a"],"query":"Why?"}', /line 1: its id/],
  ['{"id":"a","query":"Why?"}\n{"id":"a","query":"How?"}', /line 2: the id "a" stands in line 1, too/],
];
for (const [text, message] of refused)
  test(`readQuestions() refuses ${JSON.stringify(text)}`, () => {
    assert.throws(() => readQuestions(text, 'q.jsonl'), { code: 'no-input', message });
  });
