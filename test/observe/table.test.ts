import assert from 'node:assert/strict';
import { test } from 'node:test';
import { plain, type Paint } from '../../src/observe/paint.ts';
import { type Column, tableLines } from '../../src/observe/table.ts';
import { widthOf } from '../../src/observe/width.ts';

const columns: readonly Column[] = [
  { title: 'service' },
  { title: 'GPUs', flexible: true },
  { title: 'restarts', right: true },
  { title: 'why', flexible: true },
];
const rows = [
  ['ollama-generate', '0, 1, 2', '0', ''],
  ['reranker', 'GPU-6f1c3d2e-0000', '12', 'it did not answer for 30 s, and was started again'],
];

test('a table is as wide as it needs to be where there is room', () => {
  assert.deepEqual(tableLines(columns, rows, { width: 120, paint: plain }), [
    'service          GPUs               restarts  why',
    'ollama-generate  0, 1, 2                   0',
    'reranker         GPU-6f1c3d2e-0000        12  it did not answer for 30 s, and was started again',
  ]);
});

test('a table fits into 80 columns, and nothing of it is cut', () => {
  for (const width of [80, 70, 60]) {
    const lines = tableLines(columns, rows, { width, paint: plain });
    assert.ok(
      lines.every((line) => widthOf(line) <= width),
      lines.join('\n'),
    );
    for (const word of 'it did not answer for 30 s, and was started again'.split(' '))
      assert.ok(lines.join(' ').includes(word), word);
  }
});

test('a table in a terminal that is far too narrow is still readable', () => {
  const lines = tableLines(columns, rows, { width: 10, paint: plain });
  assert.ok(lines.some((line) => line.startsWith('ollama-generate')));
});

test('a note stands below its row', () => {
  const notes = ['', 'it did not answer for 30 s'];
  const two = [{ title: 'service' }, { title: 'n' }];
  const lines = tableLines(
    two,
    [
      ['a', '1'],
      ['b', '2'],
    ],
    { width: 24, paint: plain, notes },
  );
  assert.deepEqual(lines, [
    'service  n',
    'a        1',
    'b        2',
    '    it did not answer',
    '    for 30 s',
  ]);
});

test('what is painted takes no columns', () => {
  const seen: string[] = [];
  const paint: Paint = (style, text) => {
    seen.push(`${style}:${text}`);
    return `<${text}>`;
  };
  const [head, line] = tableLines(
    [{ title: 'state' }, { title: 'n' }],
    [[{ text: 'ready', style: 'good' }, '1']],
    { width: 80, paint },
  );
  assert.deepEqual([head, line], ['<state>  <n>', '<ready>  1']);
  assert.ok(seen.includes('good:ready'));
});
