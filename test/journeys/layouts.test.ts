/** A generator that leaves embed servers no room on two GPUs: the job ingests first, then switches to answering, once. */
import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { SupervisorStatus } from '../../src/job/shown/status.ts';
import { send } from '../faults/world.ts';
import { makeWorldIn, type World } from './layouts-world.ts';
import { processesMarked, type Program, runProgram, startProgram, until, untilGone } from './program.ts';

const root = mkdtempSync(join(tmpdir(), 'rag-layouts-'));
const makeWorld = makeWorldIn(root);
after(() => rmSync(root, { recursive: true }));

interface Started extends AsyncDisposable {
  readonly program: Program;
  readonly early: Promise<never>;
}

/** Disposing ends what a failed test would leave. */
const start = (world: World, ...words: string[]): Started => {
  const program = startProgram(['run', ...words, '--input-file', world.papers], { env: world.env });
  const early = program.ended.then(({ code, stderr }): never =>
    assert.fail(`it ended by itself with ${code}:\n${stderr}`),
  );
  early.catch(() => {});
  const end = async (): Promise<void> => {
    send('SIGKILL', ...processesMarked('LAYOUT_TEST', world.folder).map(({ pid }) => pid));
    await program.ended;
  };
  return { program, early, [Symbol.asyncDispose]: end };
};

const post = (url: string, path: string, body: object): Promise<Response> =>
  fetch(`${url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

const found = async (url: string, query: string): Promise<string[]> => {
  const response = await post(url, '/retrieve', { queries: [query], topk: 3 });
  assert.equal(response.status, 200);
  const { result } = (await response.json()) as { result: { document: { id: string } }[][] };
  return (result[0] ?? []).map(({ document }) => document.id);
};

const statusAt = async (url: string): Promise<SupervisorStatus> =>
  (await (await fetch(`${url}/status`)).json()) as SupervisorStatus;

const untilPhase = (world: World, phase: string): Promise<SupervisorStatus> =>
  until(`the phase ${phase}`, 60_000, () => {
    const status = world.status();
    return status?.phase === phase ? status : undefined;
  });

const statesOf = ({ services }: SupervisorStatus): Record<string, string> =>
  Object.fromEntries(services.map(({ id, state }) => [id, state]));

test('a service ingests with an embed server on each GPU, retrieves meanwhile, then answers, and takes new files', async () => {
  const hold = join(root, 'hold');
  const world = makeWorld('serve', 200, { RAG_WATCH_SECONDS: '1', FAKE_HOLD: hold });
  writeFileSync(hold, 'turbine of harbour 199');
  const first = join(world.folder, 'first.md');
  writeFileSync(first, '# First\n\nThe lantern is violet.\n');
  const before = await runProgram(['run', '--mode', 'ingest', '--input-file', first], { env: world.env });
  assert.equal(before.code, 0, before.stderr);
  rmSync(join(world.folder, 'record'), { recursive: true });
  mkdirSync(join(world.folder, 'record'));
  rmSync(join(world.folder, 'shared/runtime/supervisors'), { recursive: true });

  await using started = start(world, '--mode', 'serve');
  const { program, early } = started;
  const url = await Promise.race([early, until('the service', 40_000, world.url)]);
  assert.deepEqual(world.gpusSeen(), ['0', '1']);
  assert.equal(
    (await found(url, 'Which colour has the lantern?'))[0],
    'first.md',
    'more may stand in the index by now',
  );
  for (const path of ['/query', '/query/stream', '/api/chat', '/api/generate', '/v1/chat/completions']) {
    const response = await post(url, path, {
      query: 'Which colour?',
      model: 'qwen3:235b',
      messages: [{ role: 'user', content: 'Which colour?' }],
    });
    assert.equal(response.status, 503, path);
    assert.ok(Number(response.headers.get('retry-after')) >= 5, path);
    // Each in the form that its clients show.
    const said = await response.text();
    assert.match(said, /no room beside the embed servers.*starts when everything is ingested/);
    assert.match(said, /"hint":"[^"]*status local-/);
  }
  const ready = await fetch(`${url}/readyz`);
  assert.equal(ready.status, 503);
  assert.deepEqual(((await ready.json()) as { missing: string[] }).missing, [
    'ollama-generate',
    'ollama-embed-ask',
  ]);
  const oldName = join(world.folder, 'logs/ollama-serve.log');
  assert.match(readFileSync(oldName, 'utf8'), /Listening on/, 'it leads to a log that exists');
  assert.match(readlinkSync(oldName), /ollama-embed-1\.log$/);
  // The state file follows within a second.
  const ingesting = await statusAt(url);
  assert.equal(ingesting.phase, 'ingest');
  assert.deepEqual(statesOf(ingesting), {
    'ollama-generate': 'pending',
    'ollama-embed-1': 'ready',
    'ollama-embed-2': 'ready',
    'ollama-embed-ask': 'pending',
    store: 'ready',
  });
  assert.match(ingesting.warnings.join('\n'), /ingested first.*\n.*on the CPU/);
  // Waits in the line of a server that is about to leave, or behind the switch: it is answered all the same.
  const across = found(url, 'harbour 7');
  // Another job that finds this service, and wants its generator.
  const worker = startProgram(['run', '--mode', 'query', '--query', 'Which colour has the lantern?'], {
    env: { ...world.env, OLLAMA_HOST: 'published' },
  });
  const told = join(world.folder, `logs/local-${worker.pid}/supervisor.jsonl`);
  await until('the worker is told why', 40_000, () =>
    existsSync(told) &&
    /remote-generate waits: .*starts when everything is ingested/.test(readFileSync(told, 'utf8'))
      ? true
      : undefined,
  );
  rmSync(hold);

  const answering = await Promise.race([
    early,
    until('the switch', 60_000, async () => {
      const status = await statusAt(url);
      return status.phase === 'answering' ? status : undefined;
    }),
  ]);
  assert.deepEqual(statesOf(answering), {
    'ollama-generate': 'ready',
    'ollama-embed-1': 'exited',
    'ollama-embed-2': 'exited',
    'ollama-embed-ask': 'ready',
    store: 'ready',
  });
  assert.deepEqual(world.gpusSeen(), ['-1', '0', '0,1', '1']);
  assert.match(readlinkSync(oldName), /ollama-generate\.log$/);
  assert.ok((await across).length > 0);
  const { restarts } = { restarts: answering.services.map((service) => service.restarts) };
  assert.ok(restarts.every((count) => count === 0));
  const answered = await post(url, '/query', { query: 'Which colour has the lantern?' });
  assert.equal(answered.status, 200);
  assert.match(((await answered.json()) as { answer: string }).answer, /lantern is violet/);
  assert.equal((await fetch(`${url}/readyz`)).status, 200);
  const asked = await worker.ended;
  assert.equal(asked.code, 0, asked.stderr);
  assert.match(asked.stdout, /lantern is violet/);
  assert.match(asked.stderr, /remote-generate waits: .*starts when everything is ingested/, 'he is told why');

  writeFileSync(join(world.papers, 'late.md'), '# Late\n\nThe compass is orange.\n');
  await Promise.race([
    early,
    until('the new file', 40_000, async () =>
      (await found(url, 'orange compass')).includes('late.md') ? true : undefined,
    ),
  ]);
  assert.deepEqual(statesOf(await statusAt(url)), statesOf(answering), 'never back');

  process.kill(program.pid, 'SIGTERM');
  const { code, stderr } = await program.ended;
  assert.equal(code, 0, stderr);
  await untilGone('LAYOUT_TEST', world.folder, 2000);
  assert.match(
    stderr,
    /everything is ingested: ollama-embed-1, ollama-embed-2 make room for ollama-generate/,
  );
  assert.match(stderr, /ollama-generate: [\d.]+ GB, all of it on GPU 0,1\n/);
  assert.match(stderr, /ollama-embed-ask: [\d.]+ GB, all of it in the memory of the CPU\n/);
  assert.doesNotMatch(stderr, /started again|has failed/);
});

test('a question of the same run waits for the switch', async () => {
  const world = makeWorld('question', 20);
  const { stdout, stderr, code } = await runProgram(
    ['run', '--input-file', world.papers, '--query', 'Which colour has the turbine of harbour 7?', '--json'],
    { env: world.env },
  );
  assert.equal(code, 0, stderr);
  assert.match(stdout, /"answer":"[^"]*The turbine of harbour 7 is green/);
  assert.deepEqual(world.gpusSeen(), ['-1', '0', '0,1', '1']);
  await untilGone('LAYOUT_TEST', world.folder, 2000);
});

test('an evaluation that wants answers ingests its corpus first, and switches as a job does', async () => {
  const world = makeWorld('evaluation', 0);
  const jsonl = (rows: readonly object[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join('');
  const text = (at: number): string => `The turbine of harbour ${at} is green.`;
  const documents = Array.from({ length: 20 }, (_, at) => ({ _id: `d${at}`, title: '', text: text(at) }));
  writeFileSync(join(world.papers, 'corpus.jsonl'), jsonl(documents));
  const question = {
    id: 'q',
    question: 'Which colour has the turbine of harbour 7?',
    golden_answers: ['green'],
  };
  writeFileSync(join(world.papers, 'queries.jsonl'), jsonl([question]));
  const { stdout, stderr, code } = await runProgram(
    ['eval', world.papers, '--out', join(world.folder, 'results')],
    { env: world.env },
  );
  assert.equal(code, 0, stderr + stdout);
  assert.match(readFileSync(join(world.folder, 'results/answers.jsonl'), 'utf8'), /7 is green/);
  assert.deepEqual(world.gpusSeen(), ['-1', '0', '0,1', '1']);
  await untilGone('LAYOUT_TEST', world.folder, 2000);
});

test('a run that only ingests never starts the generator that has no room, whoever asked for it', async () => {
  const world = makeWorld('ingests', 3, { RAG_SERVICES: 'embed,generate' });
  const words = ['run', '--mode', 'ingest', '--input-file', world.papers];
  const { stderr, code } = await runProgram(words, { env: world.env });
  assert.equal(code, 0, stderr);
  assert.deepEqual(world.gpusSeen(), ['0', '1']);
});

for (const [name, phase, code] of [
  ['while it ingests', 'ingest', 75],
  ['in the middle of the switch', 'switching', 0],
] as const)
  test(`a service that is stopped ${name} leaves nothing, and no server is started any more`, async () => {
    const world = makeWorld(phase, phase === 'ingest' ? 200 : 10, { FAKE_LOAD_MS: '1500' });
    await using started = start(world, '--mode', 'serve');
    const { program, early } = started;
    await Promise.race([early, untilPhase(world, phase)]);
    process.kill(program.pid, 'SIGTERM');
    const ended = await program.ended;
    assert.equal(ended.code, code, ended.stderr);
    await untilGone('LAYOUT_TEST', world.folder, 2000);
    assert.doesNotMatch(ended.stderr, /has failed|started again/);
    // It may have come before the second embed server was there.
    if (phase === 'ingest')
      assert.deepEqual(
        world.gpusSeen().filter((gpus) => !['0', '1'].includes(gpus)),
        [],
      );
  });

test('a generator that cannot be started after the switch ends the job, and says why', async () => {
  const world = makeWorld('lost', 10, { FAKE_MODELS: 'qwen3-embedding:8b' });
  await using started = start(world, '--mode', 'serve');
  const { code, stderr } = await started.program.ended;
  assert.equal(code, 78, stderr);
  assert.match(stderr, /ollama-generate has failed: Cannot serve qwen3:235b: it is not in the model store/);
  await untilGone('LAYOUT_TEST', world.folder, 2000);
});
