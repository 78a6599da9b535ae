import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  askWithOptions,
  chosenOption,
  holdsAnswer,
  normalise,
  scoreAnswer,
} from '../../../src/query/eval/answers.ts';

test("texts are normalised as SQuAD's script does it", () => {
  for (const [text, expected] of [
    ['The  Eiffel-Tower!', 'eiffeltower'],
    ['An apple, a day.', 'apple day'],
    ['Thean Anthem', 'thean anthem'],
    ["It's 3.5 %", 'its 35'],
    ['à la carte', 'à la carte'],
  ] as const)
    assert.equal(normalise(text), expected);
});

test('an answer is scored by the wanted one that fits best, and its citations do not count', () => {
  assert.deepEqual(scoreAnswer('The Nile [1][2].', ['Amazon', 'Nile']), { em: 1, f1: 1 });
  const { em, f1 } = scoreAnswer('the river Nile in Egypt [3]', ['Nile river', 'Amazon']);
  assert.deepEqual([em, f1], [0, (2 * (2 / 4) * 1) / (2 / 4 + 1)]);
  assert.deepEqual(scoreAnswer('Mars', ['Nile']), { em: 0, f1: 0 });
  assert.deepEqual(scoreAnswer('nile nile nile', ['Nile']).f1, 0.5, 'a word counts as often as it is wanted');
  assert.deepEqual(scoreAnswer('', ['Nile']), { em: 0, f1: 0 });
});

const options = new Map([
  ['A', 'Aspirin'],
  ['B', 'Vitamin C'],
  ['C', 'Both of them'],
]);

for (const [answer, label] of [
  ['B', 'B'],
  ['b. Vitamin C [1]', 'B'],
  ['(C) because it says so', 'C'],
  ['The answer is (A).', 'A'],
  ['Answer: B', 'B'],
  ['{"step_by_step_thinking": "As A says", "answer_choice": "C"}', 'C'],
  ['A dose of vitamin C helps [2].', 'B'],
  ['A study of aspirin and of vitamin C.', undefined],
  ['The passages do not say.', undefined],
] as const)
  test(`"${answer}" chooses ${label ?? 'nothing'}`, () => {
    assert.equal(chosenOption(answer, options), label);
  });

test('a passage holds an answer when its words stand there in a row', () => {
  assert.ok(holdsAnswer('It was W. C. Röntgen, in 1895.', ['Curie', 'W.C. Röntgen', 'w c röntgen']));
  assert.ok(!holdsAnswer('The Niles of Egypt', ['Nile', '']));
});

test('a question is asked with its options', () => {
  assert.match(askWithOptions('Which?', options), /^Which\? A\. Aspirin B\. Vitamin C C\. Both of them /);
});
