/** What BM25 sees of a text. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { analyse, termOf } from '../../src/words/analyse.ts';
import { languages } from '../../src/words/languages.ts';
import { questionWords } from '../../src/words/question.ts';
import { splitWords } from '../../src/words/split.ts';

const all = ['', ...languages.keys()];
const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 200 }),
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.stringMatching(/^[a-zA-Z0-9 .,'’-]{0,200}$/),
);

const cases: ReadonlyArray<readonly [language: string, text: string, words: string]> = [
  [
    'en',
    'The patients’ studies of café-au-lait spots, and 3.5 mg/l!',
    'patient studi cafe au lait spot 3.5 mg l',
  ],
  ['', 'The patients of 1,000 U.S. hospitals', 'the patients of 1,000 u s hospitals'],
  ['de', 'Die Häuser und die Straßen der Städte', 'haus strass stadt'],
  ['fr', 'L’hôpital des chevaux agréables', 'hopital cheval agreabl'],
  ['ru', 'Синий ёжик и книги', 'син ежик книг'],
  ['ar', 'المَدْرَسَة أحمد', 'مدرس احمد'],
  ['', 'ＦＵＬＬ ｗｉｄｔｈ ﬁle', 'full width file'],
  ['', 'iPhone手机 и кафе\u0301', 'iphone 手机 и кафе'],
  ['zh', '信息检索系统', '信息 检索 系统'],
  ['ja', '図書館へ行きました', '図書館 行き ま した'],
  ['', '도서관에서 AI가 한글', '도서 서관 관에 에서 ai 가 한글'],
  ['', 'がぎぐ й', 'が ぎ ぐ й'],
  ['en', '... !!! — “”', ''],
  ['en', 'the of and', ''],
];
for (const [language, given, words] of cases) {
  test(`${JSON.stringify(given)} is ${JSON.stringify(words)} ${language === '' ? 'in no language' : `in ${language}`}`, () =>
    assert.equal(analyse(given, language).words, words));
}

test('cat, die and men are words where they are no stop words', () => {
  assert.equal(analyse('cat die men', 'en').words, 'cat die men');
  assert.equal(analyse('cat die men', '').words, 'cat die men');
  assert.equal(analyse('cat die men', 'de').words, 'cat men');
});

test('terms hold no space, are counted, and are the same of capitals, of composed and of decomposed letters', () => {
  fc.assert(
    fc.property(text, fc.constantFrom(...all), (given, language) => {
      const { words, length } = analyse(given, language);
      const terms = words === '' ? [] : words.split(' ');
      assert.equal(terms.length, length);
      assert.ok(
        terms.every((term) => /^[\p{L}\p{M}\p{N}.,]+$/u.test(term)),
        words,
      );
      assert.deepEqual(analyse(given.normalize('NFD'), language), analyse(given.normalize('NFC'), language));
    }),
  );
});

test('a question finds the words of a passage, whatever the language of the passage is', () => {
  fc.assert(
    fc.property(text, fc.constantFrom(...all), fc.subarray(all), (given, language, others) => {
      const stored = new Set(analyse(given, language).words.split(' '));
      for (const word of splitWords(given)) {
        const term = termOf(word, language);
        if (term === '') continue;
        assert.ok(stored.has(term), term);
        const asked = questionWords(word, [...new Set([language, ...others])].sort());
        assert.ok(
          asked.some(({ forms }) => forms.includes(term)),
          `${word} as ${term}`,
        );
      }
    }),
  );
});

test('a word that is longer than any word is left out, a digest is not', () => {
  const digest = '0123456789abcdef'.repeat(4);
  assert.equal(analyse(`${digest} ${'ACGT'.repeat(100)} end`, '').words, `${digest} end`);
});
