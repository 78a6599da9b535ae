import assert from 'node:assert/strict';
import { test } from 'node:test';
import { estimateTokens } from '../../src/tokens/estimate.ts';

/** Counted once with the cl100k vocabulary. */
const counted = [
  {
    what: 'English',
    tokens: 28,
    text: 'Bronchiolitis obliterans is an irreversible obstructive lung disease in which the small airways are damaged by inflammation and scarring.',
  },
  {
    what: 'source code',
    tokens: 23,
    text: 'const ascii = Uint8Array.from({ length: 128 }, (_, code) => kindOf(String.fromCharCode(code)));',
  },
  { what: 'Chinese', tokens: 30, text: '人工智能是计算机科学的一个分支，它企图了解智能的实质。' },
  {
    what: 'Russian',
    tokens: 40,
    text: 'Искусственный интеллект — свойство интеллектуальных систем выполнять творческие функции.',
  },
];

for (const { what, tokens, text } of counted) {
  test(`the estimate for ${what} is near the true count`, () => {
    const ratio = estimateTokens(text) / tokens;
    assert.ok(ratio > 0.75 && ratio < 1.4, `${estimateTokens(text)} for ${tokens}`);
  });
}

test('an empty and a blank text have next to no tokens', () => {
  assert.equal(estimateTokens(''), 0);
  assert.ok(estimateTokens(' \t  ') < 1);
});
