import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { checkCitations } from '../../src/query/citations.ts';
import { bareSentence, citedNumbers, splitSentences } from '../../src/query/sentences.ts';
import { makeEvidence } from '../../src/query/support.ts';
import type { Support } from '../../src/work.ts';
import { hit } from './hits.ts';

const dose = hit(
  'dose',
  'Adults received 20 mg of atorvastatin once daily for 12 weeks. LDL cholesterol fell by 38.5%\nin the treated group, with 2,000 ml of fluid.',
  { page: 4 },
);
const city = hit('city', 'The harbour of Rotterdam handles the largest volume of cargo in Europe.');
const used = [dose, city];

const table: [string, number[], Support][] = [
  ['Adults received 20 mg of atorvastatin once daily for 12 weeks [1].', [1], 'quoted'],
  ['  “ADULTS received  20 mg of atorvastatin once daily for 12 weeks.” [1]', [1], 'quoted'],
  ['The trial says that adults received 20 mg of atorvastatin once daily, no more [1].', [1], 'quoted'],
  ['LDL cholesterol fell by 38.5% in the treated group [1].', [1], 'quoted'],
  ['Atorvastatin was received daily by the treated adults [1].', [1], 'overlapping'],
  ['Adults received 20mg atorvastatin with 2000 millilitres fluid [1].', [1], 'overlapping'],
  ['Adults received 40 mg of atorvastatin once daily for 12 weeks [1].', [1], 'unsupported'],
  ['Adults received 20 g of atorvastatin once daily for 12 weeks [1].', [1], 'unsupported'],
  ['Rotterdam handles the largest volume of cargo [1].', [1], 'unsupported'],
  ['In Rotterdam the largest cargo of Europe is handled [1, 2].', [1, 2], 'overlapping'],
  ['Rotterdam handles the largest volume of cargo in Europe [1][2].', [1, 2], 'quoted'],
  ['Rotterdam handles the largest volume of cargo in Europe [1-2].', [1, 2], 'quoted'],
  ['Rotterdam handles the largest volume of cargo in Europe [7].', [], 'uncited'],
  ['Rotterdam handles the largest volume of cargo in Europe [0][2][7].', [2], 'quoted'],
  ['2. Rotterdam handles the largest volume of cargo in Europe [2].', [2], 'quoted'],
  ['Nobody knows.', [], 'uncited'],
  ['Adults received 0.02 g of atorvastatin daily [1].', [1], 'overlapping'],
  ['Adults received 20 mg of atorvastatin twice daily for three weeks [1].', [1], 'unsupported'],
  ['Adults did not receive 20 mg of atorvastatin once daily for 12 weeks [1].', [1], 'unsupported'],
  ['The harbour of Rotterdam never handles the largest volume of cargo in Europe [2].', [2], 'unsupported'],
];

for (const [text, cites, support] of table)
  test(`checkCitations() marks ${JSON.stringify(text)} as ${support}`, () => {
    assert.deepEqual(checkCitations(text, used).sentences, [{ text: text.trim(), cites, support }]);
  });

test('checkCitations() lists the cited passages with number, file and page', () => {
  const { citations } = checkCitations('Cargo is handled in Rotterdam [2]. Nothing more [9].', used);
  assert.equal(citations.length, 1);
  const { n, file, page, document, text, score } = citations[0] ?? assert.fail();
  assert.deepEqual(
    { n, file, page, document, text, score },
    { n: 2, file: 'city.pdf', page: null, document: 'city.pdf', text: city.text, score: 1 },
  );
});

test('checkCitations() counts the cited numbers that no passage has', () => {
  assert.equal(checkCitations('So it is [0][2][7]. And so [2, 9].', used).citations_dropped, 3);
  assert.equal(checkCitations('So it is [1].', used).citations_dropped, 0);
});

const marks: [string, number[]][] = [
  ['[1]', [1]],
  ['[1, 2]', [1, 2]],
  ['[1][3]', [1, 3]],
  ['[1] [3]', [1, 3]],
  ['[1-3]', [1, 2, 3]],
  ['[1–3; 5]', [1, 2, 3, 5]],
  ['[2 and 3]', [2, 3]],
  ['【1】', [1]],
  ['【2†report.pdf】', [2]],
  ['［１］', [1]],
  ['[Passage 2]', [2]],
  ['[passages 1, 2]', [1, 2]],
  ['[^2]', [2]],
  ['[95% CI]', []],
  ['[2020]', []],
  ['[a]', []],
  ['[]', []],
];
for (const [mark, numbers] of marks)
  test(`citedNumbers() reads ${mark} as ${JSON.stringify(numbers)}`, () => {
    assert.deepEqual(citedNumbers(`It is so ${mark}.`), numbers);
    if (numbers.length > 0) assert.equal(bareSentence(`It is so ${mark}.`).replace(/\s+/gu, ''), 'Itisso.');
  });

test('a citation of another passage than the one that says it is unsupported, also in other languages', () => {
  const rows = readFileSync(join(import.meta.dirname, '../../bench/citations.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { readonly passage: string; readonly claim: string });
  const marked = { right: 0, moved: 0 };
  for (let at = 0; at < rows.length; at += 2) {
    const [one, other] = [rows[at] ?? assert.fail(), rows[at + 1] ?? assert.fail()];
    const evidence = makeEvidence([one.passage, other.passage]);
    for (const [claim, right] of [
      [one.claim, 0],
      [other.claim, 1],
    ] as const) {
      if (evidence.support(claim, [right]) === 'unsupported') marked.right += 1;
      if (evidence.support(claim, [1 - right]) === 'unsupported') marked.moved += 1;
    }
  }
  assert.equal(marked.right, 0);
  assert.ok(marked.moved >= rows.length - 1, `${marked.moved} of ${rows.length}`);
});

test('a sentence that two passages hold may cite either', () => {
  const twice = [dose.text, `Again: ${dose.text}`];
  for (const cited of [0, 1])
    assert.equal(
      makeEvidence(twice).support('Atorvastatin was received daily by adults', [cited]),
      'overlapping',
    );
});

test('checkCitations() cites only what exists, and lists exactly what is cited', () => {
  const piece = fc.constantFrom(
    '[1]',
    '[2]',
    '[3]',
    '[1, 3]',
    '[12]',
    '[1-9]',
    'Word',
    'word',
    '. ',
    '! ',
    '\n',
    '20 mg ',
    '。',
  );
  fc.assert(
    fc.property(fc.array(piece), (pieces) => {
      const { sentences, citations } = checkCitations(pieces.join(''), used);
      for (const { cites, support } of sentences) {
        assert.ok(cites.every((n) => n === 1 || n === 2));
        assert.equal(cites.length === 0, support === 'uncited');
      }
      assert.deepEqual(
        citations.map(({ n }) => n),
        [...new Set(sentences.flatMap(({ cites }) => cites))].sort((a, b) => a - b),
      );
    }),
  );
});

test('a verbatim stretch of eight words is quoted, wherever it was taken from', () => {
  const words =
    `It was shown in the second of three long trials that nobody had ever looked at the harbour before noon`.split(
      ' ',
    );
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: words.length - 8 }),
      fc.integer({ min: 8, max: words.length }),
      (from, length) => {
        const text = `${words.slice(from, from + length).join(' ')} [1].`;
        assert.equal(checkCitations(text, [hit('a', words.join('\n'))]).sentences[0]?.support, 'quoted');
      },
    ),
  );
});

test('splitSentences() loses nothing but white space', () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom('A', 'b', '.', '?', ' ', '\n', '[1]', '"', ')', '3.5', 'e.g.', '。', '…')),
      (pieces) => {
        const text = pieces.join('');
        assert.equal(splitSentences(text).join('').replace(/\s/gu, ''), text.replace(/\s/gu, ''));
      },
    ),
  );
});

const splits: [string, string[]][] = [
  ['One is so. [1] Two is not [2]! Three?', ['One is so. [1]', 'Two is not [2]!', 'Three?']],
  [
    'It fell by 3.5 mg (Fig. 2) in E. coli, e.g. at night. Then it rose.',
    ['It fell by 3.5 mg (Fig. 2) in E. coli, e.g. at night.', 'Then it rose.'],
  ],
  [
    'Findings:\n1. Dr. Smith left.\n2. He said "no." Then he went.',
    ['Findings:', '1. Dr. Smith left.', '2. He said "no."', 'Then he went.'],
  ],
  ['第一。[1]第二。', ['第一。[1]', '第二。']],
  ['第一。【1】第二。', ['第一。【1】', '第二。']],
  ['यह है। [1] वह है।', ['यह है। [1]', 'वह है।']],
  ['هل هذا؟ نعم.', ['هل هذا؟', 'نعم.']],
  ['Es gilt z. B. Regel 3, vgl. Abb. 2. Das ist so.', ['Es gilt z. B. Regel 3, vgl. Abb. 2.', 'Das ist so.']],
  ['Prof. Lee et al. gave 3.5 mg vs. Five. It fell.', ['Prof. Lee et al. gave 3.5 mg vs. Five.', 'It fell.']],
];
for (const [text, sentences] of splits)
  test(`splitSentences() finds ${sentences.length} in ${JSON.stringify(text)}`, () => {
    assert.deepEqual(splitSentences(text), sentences);
  });
