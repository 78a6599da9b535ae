import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { readCollection, readRun } from '../../../src/query/eval/collection.ts';

const top = mkdtempSync(join(tmpdir(), 'rag-collection-'));
after(() => rmSync(top, { recursive: true }));

function folderOf(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(top, 'c-'));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

const row = (fields: unknown): string => `${JSON.stringify(fields)}\n`;

test('the layout of BEIR is read, its test judgements before the others', async () => {
  const folder = folderOf({
    'corpus.jsonl': row({ _id: 'd', title: '', text: 'x' }),
    'queries.jsonl': row({ _id: 'q1', text: 'why?' }) + row({ _id: 'q2', text: 'who?' }),
    'qrels/test.tsv': 'query-id\tcorpus-id\tscore\nq1\td\t1\n',
    'qrels/train.tsv': 'query-id\tcorpus-id\tscore\nq2\td\t1\n',
  });
  const found = await readCollection({ path: folder });
  assert.equal(found.corpus, join(folder, 'corpus.jsonl'));
  assert.deepEqual(
    found.questions.map(({ id, text }) => [id, text]),
    [['q1', 'why?']],
  );
  assert.deepEqual(found.notes, ['questions without judgements, left out: 1']);
  assert.equal(found.files.length, 3);
  const train = await readCollection({ path: folder, qrels: join(folder, 'qrels/train.tsv') });
  assert.deepEqual(
    train.questions.map(({ id }) => id),
    ['q2'],
  );
});

test('our layout is read, with ids that are numbers', async () => {
  const folder = folderOf({
    'documents.jsonl': row({ id: 'd', text: 'x' }),
    'queries.jsonl': row({ id: 1, text: 'why?\u2028really?', original: '...' }),
    'qrels.tsv': 'query-id\tcorpus-id\tscore\n1\td\t2\n',
  });
  const { questions, corpus } = await readCollection({ path: `${folder}/` });
  assert.deepEqual(questions[0], {
    id: '1',
    text: 'why?\u2028really?',
    golden: [],
    options: new Map(),
    right: undefined,
  });
  assert.equal(corpus, join(folder, 'documents.jsonl'));
});

test("FlashRAG's questions are read from a file alone, without corpus and judgements", async () => {
  const folder = folderOf({
    'test.jsonl':
      row({ id: 'test_0', question: 'who got it first?', golden_answers: ['Röntgen', 'W. C. Röntgen'] }) +
      row({ id: 'test_1', question: 'unanswered?', golden_answers: [], metadata: {} }),
  });
  for (const path of [folder, join(folder, 'test.jsonl')]) {
    const { questions, corpus, qrels } = await readCollection({ path });
    assert.deepEqual(
      questions.map(({ id, golden }) => [id, golden]),
      [['test_0', ['Röntgen', 'W. C. Röntgen']]],
    );
    assert.deepEqual([corpus, qrels], [undefined, undefined]);
  }
});

test("MedRAG's benchmark is read with its data sets, and questions of one a line", async () => {
  const choice = { question: 'Which?', options: { A: 'Aspirin', B: 'Iron' }, answer: 'B' };
  const benchmark = folderOf({ 'benchmark.json': JSON.stringify({ medqa: { '0000': choice } }) });
  const one = await readCollection({ path: join(benchmark, 'benchmark.json') });
  assert.deepEqual(
    one.questions.map(({ id, right, options }) => [id, right, [...options.keys()]]),
    [['medqa/0000', 'B', ['A', 'B']]],
  );
  const lines = folderOf({
    'questions.jsonl':
      row(choice) +
      row({ id: 'text', ...choice, answer: 'Aspirin' }) +
      row({ id: 'place', ...choice, options: ['Aspirin', 'Iron'], answer: 1 }),
  });
  assert.deepEqual(
    (await readCollection({ path: lines })).questions.map(({ id, right }) => [id, right]),
    [
      ['1', 'B'],
      ['text', 'A'],
      ['place', 'B'],
    ],
  );
});

for (const [what, text, says] of [
  ['a row that is cut off', `${row({ id: '1', text: 'a' })}{"id":`, /line 2: not JSON/],
  ['a row that is no object', '\n[1]\n', /line 2: not a JSON object/],
  ['a blank question', row({ id: '1', text: ' ' }), /line 1: no "text"/],
  [
    'an id twice',
    row({ id: '1', text: 'a' }) + row({ _id: 1, text: 'b' }),
    /line 2: the id "1" stands twice/,
  ],
  [
    'an answer that is no option',
    row({ question: 'q', options: { A: 'x' }, answer: 'C' }),
    /line 1: its "answer" names none/,
  ],
] as const)
  test(`questions with ${what} are refused with the line`, async () => {
    const path = folderOf({ 'queries.jsonl': text });
    await assert.rejects(readCollection({ path }), { code: 'no-input', message: says });
  });

test('a run is refused where nothing judges it', async () => {
  const folder = folderOf({
    'queries.jsonl': row({ id: 'q1', text: 'why?' }),
    'qrels.txt': 'q1 0 d 1\n',
    'other.trec': 'x9 Q0 d 1 0.5 tag\n',
    'test.jsonl': row({ question: 'who?', golden_answers: ['she'] }),
  });
  const judged = await readCollection({ path: folder });
  const run = join(folder, 'other.trec');
  await assert.rejects(readRun(run, judged), { code: 'no-input', message: /no question of .*"x9"/ });
  const unjudged = await readCollection({ path: join(folder, 'test.jsonl') });
  await assert.rejects(readRun(run, unjudged), { code: 'no-input', message: /measured by judgements/ });
  await assert.rejects(readRun(join(folder, 'gone'), judged), { code: 'no-input', message: /ENOENT/ });
});
