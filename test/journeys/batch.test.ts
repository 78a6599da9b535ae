/** A file of questions, by the program as users run it: killed, stopped, and begun again. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { makeStore } from '../fixtures/fake-ollama/make-store.ts';
import { fakeBin } from '../fixtures/fake-ollama/start.ts';
import { type Ended, type Program, runProgram, startProgram, until, untilGone } from './program.ts';

const folder = mkdtempSync(join(tmpdir(), 'rag-answers-'));
after(() => rmSync(folder, { recursive: true }));

const subjects = ['turbine', 'glacier', 'violin', 'harbour', 'lantern', 'orchard', 'compass', 'quarry'];
const questions = Array.from({ length: 400 }, (_, at) => ({
  id: `q${at}`,
  query: `What was found at the ${subjects[at % 8]} in ${1900 + (at % 90)}?`,
}));
const env = { RAG_ENGINE: 'embedded', SECRET_CHECK: folder };
const words = ['query', '--here', '--queries', 'questions.jsonl', '--answers', 'answers.jsonl'];
const path = join(folder, 'answers.jsonl');
const ask = (...more: string[]): Promise<Ended> => runProgram([...words, ...more], { cwd: folder, env });

const linesIn = (): number => (existsSync(path) ? readFileSync(path, 'utf8').split('\n').length - 1 : 0);
const untilSome = (program: Program, least: number): Promise<number | true> =>
  Promise.race([
    until(`${least} answers`, 120_000, () => (linesIn() >= least ? true : undefined)),
    program.ended.then(({ stderr }) => assert.fail(`it ended: ${stderr}`)),
  ]);
const ids = (): string[] =>
  readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as { id: string }).id);

before(async () => {
  writeFileSync(
    join(folder, 'questions.jsonl'),
    questions.map((each) => `${JSON.stringify(each)}\n`).join(''),
  );
  const notes = subjects.map((subject, at) => `At the ${subject} a coin of ${1900 + at} was found.\n\n`);
  writeFileSync(join(folder, 'notes.md'), notes.join(''));
  const { code, stderr } = await runProgram(['ingest', '--here', 'notes.md'], { cwd: folder, env });
  assert.equal(code, 0, stderr);
});

test('a batch that was killed, then stopped, goes on and ends with every answer once, in order', async () => {
  const killed = startProgram(words, { cwd: folder, env });
  await untilSome(killed, 40);
  process.kill(killed.pid, 'SIGKILL');
  await killed.ended;
  await untilGone('SECRET_CHECK', folder, 20_000);
  const kept = linesIn();
  assert.ok(kept >= 40 && kept < 400, `${kept}`);

  const stopped = startProgram(words, { cwd: folder, env });
  await untilSome(stopped, kept + 40);
  process.kill(stopped.pid, 'SIGTERM');
  const { code, stdout, stderr } = await stopped.ended;
  assert.equal(code, 75, stderr);
  assert.match(stderr, /stopped with questions left, the same command goes on/);
  assert.match(stdout, /^\d+ answered, \d+ answered before, 0 failed$/m);
  assert.doesNotMatch(stderr + stdout, /What was found/, 'no question stands in a log');

  const last = await ask('--json');
  assert.equal(last.code, 0, last.stderr);
  const summary = JSON.parse(last.stdout) as {
    questions: Record<string, number>;
    failures: unknown[];
    exit: number;
  };
  const { answered = 0, unchanged = 0, failed = 1 } = summary.questions;
  assert.deepEqual([answered + unchanged, failed, summary.failures, summary.exit], [400, 0, [], 0]);
  assert.ok(unchanged >= kept + 40);
  assert.deepEqual(
    ids(),
    questions.map(({ id }) => id),
  );
});

test('when all is answered nothing is started, and the file stays as it is', async () => {
  const before = statSync(path);
  const { code, stdout, stderr } = await ask();
  assert.equal(code, 0, stderr);
  assert.equal(stdout, '0 answered, 400 answered before, 0 failed\n');
  assert.equal(stderr, '');
  assert.deepEqual([statSync(path).mtimeMs, statSync(path).ino], [before.mtimeMs, before.ino]);
});

test('answers of other questions are refused before anything is started', async () => {
  writeFileSync(join(folder, 'others.jsonl'), '{"id":"q0","query":"Another one?"}\n');
  const others = ['query', '--here', '--queries', 'others.jsonl', '--answers', 'answers.jsonl'];
  const { code, stderr } = await runProgram(others, { cwd: folder, env });
  assert.equal(code, 64);
  assert.match(stderr, /^Cannot write answers\.jsonl: its line 1 answers question "q0"/m);
  assert.equal(stderr.trim().split('\n').length, 2);
});

for (const more of [['a text'], ['--stream'], ['--answers', 'questions.jsonl']])
  test(`--queries with ${more.join(' ')} is refused`, async () => {
    const { code, stderr } = await ask(...more);
    assert.equal(code, 64);
    assert.match(stderr, /--queries and --answers are wanted/);
  });

test('--stream prints the answer, then what it rests on', async () => {
  const { code, stdout, stderr } = await runProgram(
    ['query', '--here', '--stream', 'Which coin was found at the violin?'],
    {
      cwd: folder,
      env,
    },
  );
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^At the violin a coin of 1902 was found \[1\]\.[^\n]*\n[^]*\n\[1\] .*notes\.md/);
  const both = await runProgram(['query', '--here', '--stream', '--json', 'Which?'], { cwd: folder, env });
  assert.equal(both.code, 64);
});

test('more failed questions than RAG_MAX_FAILED allows are exit 3; the same command asks only those again', async () => {
  const models = join(folder, 'models');
  makeStore(models, ['qwen3:235b', 'qwen3-embedding:8b']);
  const served = { RAG_ENGINE: 'ollama', OLLAMA_BIN: fakeBin, OLLAMA_MODELS: models, RAG_ALLOW_CPU: '1' };
  const there = { cwd: folder, env: { ...served, RAG_WORKING_DIR: join(folder, 'served') } };
  assert.equal((await runProgram(['ingest', '--here', 'notes.md'], there)).code, 0);
  const rows = [{ query: 'What was found at the violin?' }, { query: 'violin '.repeat(40_000) }];
  writeFileSync(join(folder, 'long.jsonl'), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  const line = ['query', '--here', '--queries', 'long.jsonl', '--answers', 'short.jsonl'];

  const first = await runProgram(line, there);
  assert.equal(first.code, 3, first.stderr);
  assert.match(first.stdout, /^1 answered, 0 answered before, 1 failed\n {2}2: too-long: Cannot fit /);
  assert.match(first.stderr, /more questions failed than RAG_MAX_FAILED allows/);
  // The weights of the store are none.
  assert.equal(first.stderr.match(/tokens of prompts are estimated, from above/g)?.length, 1);
  const records = readFileSync(join(folder, 'short.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((each) => JSON.parse(each) as { id: string; error?: { code: string } });
  assert.deepEqual(
    records.map(({ id, error }) => [id, error?.code]),
    [
      ['1', undefined],
      ['2', 'too-long'],
    ],
  );
  const again = await runProgram([...line, '--max-failed', '1', '--json'], there);
  assert.equal(again.code, 0, again.stderr);
  const { questions: counts } = JSON.parse(again.stdout) as { questions: unknown };
  assert.deepEqual(counts, { answered: 0, unchanged: 1, failed: 1 });
});
