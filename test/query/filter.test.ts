import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readFilter, readJsonFilter } from '../../src/query/filter.ts';

test('conditions are fields with globs, pages with ranges, and any other name a label', () => {
  assert.deepEqual(
    readFilter(['document=reports/**, a.pdf', 'page=3..9,12,20..', 'year=2020,2021', 'page=..2', 'x=a=b']),
    [
      { field: 'document', globs: ['reports/**', 'a.pdf'] },
      {
        field: 'page',
        ranges: [
          [3, 9],
          [12, 12],
          [20, 2_147_483_647],
        ],
      },
      { field: 'label', labels: ['year=2020', 'year=2021'] },
      { field: 'page', ranges: [[1, 2]] },
      { field: 'label', labels: ['x=a=b'] },
    ],
  );
  assert.deepEqual(readFilter([String.raw`title=Rivers\, lakes`]), [
    { field: 'title', globs: ['Rivers, lakes'] },
  ]);
});

test('in JSON a filter is an object whose lists are alternatives, or what a command line has', () => {
  const wanted = [
    { field: 'corpus', globs: ['pubmed'] },
    { field: 'label', labels: ['year=2020', 'year=2021'] },
    { field: 'label', labels: ['journal=A, B'] },
  ];
  assert.deepEqual(readJsonFilter({ corpus: 'pubmed', year: [2020, '2021'], journal: 'A, B' }), wanted);
  assert.deepEqual(readJsonFilter(['corpus=pubmed']), wanted.slice(0, 1));
  assert.deepEqual(readJsonFilter('corpus=pubmed'), wanted.slice(0, 1));
});

test('a bad filter is refused with what is wanted', () => {
  for (const text of ['document', '=x', 'page=', 'page=x', 'page=9..3', 'page=..', 'page=-1', 'a=b,,c'])
    assert.throws(() => readFilter([text]), { code: 'usage', message: /Cannot filter by .* wanted/u }, text);
  for (const given of [7, null, [1], { year: [] }, { year: null }, { year: { from: 1 } }])
    assert.throws(() => readJsonFilter(given), { code: 'usage' }, JSON.stringify(given));
});
