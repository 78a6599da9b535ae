/** A tiny collection from files to figures, by the program as users run it; every figure computed once more here. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { runProgram, startProgram, until, type Ended } from './program.ts';

const folder = mkdtempSync(join(tmpdir(), 'rag-eval-'));
after(() => rmSync(folder, { recursive: true }));

const words = ['turbine', 'glacier', 'violin', 'harbour', 'lantern', 'orchard', 'compass', 'quarry'];
const wordOf = (n: number): string => words[n % words.length] ?? '';

/** Forty documents share eight subjects; a question is about a subject and one year, which four documents name. */
const documents = Array.from({ length: 40 }, (_, n) => ({
  _id: `d${n}`,
  title: `Report ${n}`,
  text: `The ${wordOf(n)} was inspected in ${1990 + (n % 10)}. Its keeper was person${n}. ${'Nothing else was found. '.repeat(n % 4)}`,
}));
const queries = Array.from({ length: 12 }, (_, n) => ({
  _id: `q${n}`,
  text: `When was the ${wordOf(n)} inspected, in ${1990 + n} or later?`,
}));
const qrels = [
  ...queries.flatMap(({ _id }, n) => [
    [_id, `d${n}`, 2],
    [_id, `d${n + 8}`, 1],
    [_id, `d${(n + 3) % 40}`, 0],
  ]),
  ['q11', 'nowhere', 1],
  ['never asked', 'd1', 1],
] as [string, string, number][];

const jsonl = (rows: readonly unknown[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join('');
const write = (name: string, text: string): void => writeFileSync(join(folder, name), text);

before(async () => {
  await mkdir(join(folder, 'tiny/qrels'), { recursive: true });
  write('tiny/corpus.jsonl', jsonl(documents));
  write('tiny/queries.jsonl', jsonl([...queries, { _id: 'q12', text: 'Nobody judged this?' }]));
  const rows = [['query-id', 'corpus-id', 'score'], ...qrels];
  write('tiny/qrels/test.tsv', rows.map((row) => `${row.join('\t')}\r\n`).join(''));
});

const env = { RAG_ENGINE: 'embedded' };
const run = (...line: string[]): Promise<Ended> => runProgram(['eval', ...line], { cwd: folder, env });

interface Figure {
  readonly mean: number;
  readonly low: number;
  readonly high: number;
}
interface Results {
  readonly stages: Readonly<Record<string, Readonly<Record<string, Figure>>>>;
  readonly comparisons: readonly { readonly stage: string; readonly p: number }[];
  readonly answers: Readonly<Record<string, Figure>>;
  readonly manifest: {
    readonly counts: Readonly<Record<string, number>>;
    readonly index: { readonly documents: number } | null;
    readonly notes: readonly string[];
    readonly created: string;
  };
}

async function results(...line: string[]): Promise<Results> {
  const { code, stdout, stderr } = await run(...line, '--json');
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout) as Results;
}

/** From a run file alone, by the definitions. Grades above 0 are the gains. */
function measuresOf(file: string): Record<string, number> {
  const lists = new Map<string, { document: string; score: number }[]>();
  for (const line of readFileSync(file, 'utf8').trim().split('\n')) {
    const [query = '', , document = '', , score = ''] = line.split(' ');
    lists.set(query, [...(lists.get(query) ?? []), { document, score: Number(score) }]);
  }
  const sums: Record<string, number> = { 'ndcg@10': 0, 'recall@100': 0, 'mrr@10': 0, 'judged@10': 0 };
  for (const { _id } of queries) {
    const grades = new Map(qrels.filter(([query]) => query === _id).map(([, id, grade]) => [id, grade]));
    const ranked = (lists.get(_id) ?? [])
      .sort((a, b) => b.score - a.score || (a.document < b.document ? 1 : -1))
      .map(({ document }) => document);
    const gain = (list: readonly number[]): number =>
      list.slice(0, 10).reduce((sum, grade, at) => sum + grade / Math.log2(at + 2), 0);
    const relevant = [...grades.values()].filter((grade) => grade > 0);
    const first = ranked.slice(0, 10).findIndex((id) => (grades.get(id) ?? 0) > 0);
    const values: Record<string, number> = {
      'ndcg@10': gain(ranked.map((id) => grades.get(id) ?? 0)) / gain(relevant.sort((a, b) => b - a)),
      'recall@100': ranked.slice(0, 100).filter((id) => (grades.get(id) ?? 0) > 0).length / relevant.length,
      'mrr@10': first < 0 ? 0 : 1 / (first + 1),
      'judged@10': ranked.slice(0, 10).filter((id) => grades.has(id)).length / Math.min(10, ranked.length),
    };
    for (const [name, value] of Object.entries(values))
      sums[name] = (sums[name] ?? 0) + value / queries.length;
  }
  return sums;
}

test('a BEIR folder is measured by stage, and the figures are those of the runs that are kept', async () => {
  const found = await results('tiny', '--out', 'kept', '--run-out', 'last.trec');
  assert.deepEqual(Object.keys(found.stages), ['lexical', 'dense', 'fused', 'reranked']);
  for (const [stage, figures] of Object.entries(found.stages)) {
    const expected = measuresOf(join(folder, `kept/run-${stage}.trec`));
    for (const [name, value] of Object.entries(expected)) {
      const figure = figures[name] ?? assert.fail(name);
      assert.ok(Math.abs(figure.mean - value) < 1e-9, `${stage} ${name}: ${figure.mean}, here ${value}`);
      assert.ok(figure.low <= figure.mean && figure.mean <= figure.high);
    }
  }
  assert.ok((found.stages['lexical']?.['ndcg@10']?.mean ?? 0) > 0.5, 'it does find something');
  assert.equal(found.comparisons.length, 6);
  assert.deepEqual(JSON.parse(readFileSync(join(folder, 'kept/results.json'), 'utf8')), found);
  assert.deepEqual(JSON.parse(readFileSync(join(folder, 'kept/manifest.json'), 'utf8')), found.manifest);
  const [last, reranked] = ['last.trec', 'kept/run-reranked.trec'].map((file) =>
    readFileSync(join(folder, file)),
  );
  assert.deepEqual(last, reranked);
  assert.equal(found.manifest.index?.documents, 40);
  assert.deepEqual(found.manifest.counts, {
    questions: 12,
    scored: 12,
    without_relevant: 0,
    answered: 0,
    undecided: 0,
  });
  assert.deepEqual(found.manifest.notes.slice(0, 3), [
    'judged questions without a text, left out: 1',
    'questions without judgements, left out: 1',
    'relevant documents that are not in the corpus: 1 of 21, e.g. nowhere',
  ]);
});

test('the same evaluation again embeds nothing new and says the same', async () => {
  const [one, two] = [await results('tiny'), await results('tiny')];
  assert.deepEqual(two.stages, one.stages);
  assert.deepEqual(two.comparisons, one.comparisons);
});

test('the table has 80 columns; a run of another program is measured without any service', async () => {
  const whole = await run('tiny', '--here', '--run', 'kept/run-dense.trec');
  assert.equal(whole.code, 0, whole.stderr);
  assert.match(whole.stdout, /^tiny: 12 questions, 40 documents\n/);
  for (const line of whole.stdout.split('\n').slice(0, -6)) assert.ok(line.length <= 80, line);
  assert.match(whole.stdout, /^run - dense +\+0\.000 .* p = 1\.000$/m);

  const alone = await run('tiny', '--run', 'kept/run-dense.trec');
  assert.equal(alone.code, 0, alone.stderr);
  assert.equal(alone.stderr, '', 'nothing was started');
  const rowOf = (text: string, stage: string): string | undefined =>
    new RegExp(`^${stage} +(\\d.*)$`, 'm').exec(text)?.[1];
  assert.equal(rowOf(alone.stdout, 'run'), rowOf(whole.stdout, 'dense'));
  assert.doesNotMatch(alone.stdout, /lexical/);
});

test('answers are scored where answers are wanted, from an index that is there', async () => {
  write(
    'questions.jsonl',
    jsonl([
      {
        id: 1,
        question: 'Who was the keeper in Report 5?',
        golden_answers: ['person5', 'Its keeper was person5'],
      },
      {
        id: 2,
        question: 'What was inspected in Report 6?',
        options: { A: 'zeppelin', B: 'compass' },
        answer: 'B',
      },
    ]),
  );
  const ingested = await runProgram(['ingest', '--here', 'tiny/corpus.jsonl'], { cwd: folder, env });
  assert.equal(ingested.code, 0, ingested.stderr);
  const { stages, answers, manifest } = await results('questions.jsonl', '--out', 'answered');
  assert.deepEqual(Object.keys(stages['lexical'] ?? {}), ['answer@5', 'answer@20', 'answer@100']);
  assert.equal(stages['reranked']?.['answer@5']?.mean, 1, 'the passage that names the keeper is among them');
  assert.deepEqual(Object.keys(answers), ['em', 'f1', 'accuracy']);
  assert.ok((answers['f1']?.mean ?? 0) > 0, 'the right sentence is quoted');
  assert.equal(manifest.counts['answered'], 2);
  const rows = readFileSync(join(folder, 'answered/answers.jsonl'), 'utf8').trim().split('\n');
  assert.deepEqual(
    rows.map((row) => (JSON.parse(row) as { id: string }).id),
    ['1', '2'],
  );
});

test('options alone, without a generator, are nothing to measure; a place that cannot be written is said first', async () => {
  write('choices.jsonl', jsonl([{ question: 'Which?', options: ['a', 'b'], answer: 'a' }]));
  const words = { RAG_WORKING_DIR: join(folder, 'rag-data/rag_storage'), OLLAMA_GENERATE_MODEL: 'none' };
  const mute = await runProgram(['eval', 'choices.jsonl'], { cwd: folder, env: { ...env, ...words } });
  assert.equal(mute.code, 64, mute.stderr);
  assert.match(mute.stderr, /no generator\n +hint: /);
  for (const line of [
    ['--out', 'choices.jsonl/below'],
    ['--run-out', 'nowhere/run.trec'],
  ]) {
    const refused = await run('tiny', ...line);
    assert.equal(refused.code, 78, refused.stderr);
    assert.match(refused.stderr, /^Cannot write .*\n +hint: /);
  }
});

const broken: readonly (readonly [
  string,
  Readonly<Record<string, string>>,
  readonly string[],
  number,
  RegExp,
])[] = [
  ['no collection', {}, [], 64, /one test collection is wanted/],
  ['a folder that is not there', {}, ['nowhere'], 65, /does not exist/],
  ['a folder without questions', { 'documents.jsonl': '' }, ['.'], 65, /no questions/],
  [
    'questions of which nothing is known',
    { 'queries.jsonl': '{"id":"1","text":"why?"}\n' },
    ['.'],
    65,
    /neither judgements .* nor golden_answers/,
  ],
  [
    'a malformed question',
    { 'queries.jsonl': '{"id":"1","text":"why?"}\n{"id":"2"\n', 'qrels.tsv': '1 d 1\n' },
    ['.'],
    65,
    /queries\.jsonl: line 2: not JSON/,
  ],
  [
    'a malformed judgement',
    { 'queries.jsonl': '{"id":"1","text":"why?"}\n', 'qrels.tsv': '1 d 1\n1 e\n' },
    ['.'],
    65,
    /qrels\.tsv: line 2: /,
  ],
  [
    'judgements of other questions',
    { 'queries.jsonl': '{"id":"1","text":"why?"}\n', 'qrels.tsv': 'q1 d 1\n' },
    ['.'],
    65,
    /none of its 1 questions is judged .* "q1".* "1"/,
  ],
  [
    'judgements of other documents',
    {
      'queries.jsonl': '{"id":"1","text":"why?"}\n',
      'qrels.tsv': '1 PMC7 1\n',
      'corpus.jsonl': '{"_id":"7","title":"","text":"Because."}\n',
    },
    ['.'],
    65,
    /none of the 1 relevant documents .*"PMC7".*"7"/,
  ],
];
for (const [what, files, line, code, says] of broken)
  test(`${what} ends with ${code} and says what to do`, async () => {
    const cwd = mkdtempSync(join(folder, 'broken-'));
    for (const [name, text] of Object.entries(files)) writeFileSync(join(cwd, name), text);
    const ended = await runProgram(['eval', ...line], { cwd, env });
    assert.equal(ended.code, code, ended.stderr);
    assert.match(ended.stderr, says);
    assert.match(ended.stderr, /hint: /);
    assert.doesNotMatch(ended.stderr, /\n\s+at /, 'no stack trace');
  });

test('TERM ends it with 75 and the same command goes on', async () => {
  const { pid, ended } = startProgram(['eval', 'tiny', '--chunk-tokens', '256', '--out', 'stopped'], {
    cwd: folder,
    env,
  });
  const indexes = join(folder, 'rag-data/rag_storage-eval');
  const before = readdirSync(indexes).length;
  await until('an index of its own', 20_000, () => (readdirSync(indexes).length > before ? true : undefined));
  process.kill(pid, 'SIGTERM');
  const { code, stderr } = await ended;
  assert.equal(code, 75, stderr);
  assert.match(stderr, /Cannot finish the evaluation: .*stopped/);
  const again = await run('tiny', '--chunk-tokens', '256');
  assert.equal(again.code, 0, again.stderr);
});
