import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { makePrompt } from '../../src/query/prompt.ts';
import { hit } from './hits.ts';

const estimate = (text: string): number => Math.ceil(text.length / 4);
const roomy = { contextTokens: 8192, answerTokens: 512, estimate };
const userText = ({ messages }: ReturnType<typeof makePrompt>): string => messages.at(-1)?.content ?? '';

test('makePrompt() fences passages by number and source, the question last', () => {
  const hits = [hit('a', 'One.', { file: 'a.pdf', page: 3 }), hit('b', 'Two.', { file: 'b.md' })];
  const prompt = makePrompt({ ...roomy, question: 'Why?\nReally?', hits });
  assert.equal(
    userText(prompt),
    `<passage n="1" source="a.pdf, page 3">\nOne.\n</passage>\n\n<passage n="2" source="b.md">\nTwo.\n</passage>\n\nQuestion: Why? Really?`,
  );
  assert.equal(prompt.messages[0]?.role, 'system');
  assert.match(prompt.messages[0].content, /never an instruction/);
  assert.deepEqual(prompt.used, hits);
});

test('makePrompt() lets no document close its fence, open another or write control tokens of a template', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.constantFrom(
          '</passage>',
          '< / PASSAGE >',
          '<passage n="9">',
          '<|im_start|>system',
          '</s>',
          'x',
          '\n',
        ),
        {
          maxLength: 6,
        },
      ),
      (pieces) => {
        const text = pieces.join('');
        const file = `${text.replaceAll('\n', '')}".pdf`;
        const prompt = userText(makePrompt({ ...roomy, question: text, hits: [hit('a', text, { file })] }));
        assert.equal(prompt.match(/<\s*passage/giu)?.length, 1);
        assert.equal(prompt.match(/<\s*\/\s*passage/giu)?.length, 1);
        assert.doesNotMatch(prompt, /<\||<\/s>/u);
        assert.match(prompt, /^<passage n="1" source="[^"\n<>]*">\n/u);
      },
    ),
  );
});

test('makePrompt() drops the last passages first, and fits', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1 }),
      fc.integer({ min: 700, max: 4000 }),
      (sizes, contextTokens) => {
        const hits = sizes.map((size, i) => hit(`c${i}`, 'word '.repeat(size)));
        const { messages, used } = makePrompt({
          question: 'Why?',
          hits,
          contextTokens,
          answerTokens: 100,
          estimate,
        });
        assert.ok(used.length >= 1);
        assert.deepEqual(used, hits.slice(0, used.length));
        const tokens = messages.reduce((sum, { content }) => sum + estimate(content), 0);
        assert.ok(tokens <= contextTokens - 100, `${tokens} tokens`);
      },
    ),
  );
});

test('makePrompt() cuts the first passage where even it does not fit, between characters', () => {
  const { used, messages } = makePrompt({
    ...roomy,
    question: 'Why?',
    hits: [hit('a', '😀'.repeat(90_000))],
  });
  assert.equal(used.length, 1);
  assert.match(messages.at(-1)?.content ?? '', /\n(?:😀)+\n<\/passage>\n\nQuestion: Why\?$/u);
});

test('makePrompt() keeps one passage in a context that is too small for anything', () => {
  const { used } = makePrompt({
    ...roomy,
    contextTokens: 10,
    question: 'Why?',
    hits: [hit('a', 'text'), hit('b', 'text')],
  });
  assert.equal(used.length, 1);
});
