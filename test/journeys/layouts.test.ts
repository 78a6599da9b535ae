/** A generator that leaves embed servers no room on two GPUs: the job ingests first, then switches to answering, once. */
import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { after, test } from 'node:test';
import type { SupervisorStatus } from '../../src/job/status.ts';
import { send } from '../faults/world.ts';
import { fakeBin } from '../fixtures/fake-ollama/start.ts';
import { processesMarked, type Program, runProgram, startProgram, until, untilGone } from './program.ts';

const root = mkdtempSync(join(tmpdir(), 'rag-layouts-'));
after(() => rmSync(root, { recursive: true }));

/** Two cards of 80 GiB: qwen3:235b takes nearly all of both. */
const nvidiaSmi = `#!/bin/sh
case "$1" in
  -L) echo 'GPU 0: stand-in'; echo 'GPU 1: stand-in' ;;
  --query-gpu=*) echo '0, GPU-aa, 81920'; echo '1, GPU-bb, 81920' ;;
esac
`;

interface World {
  readonly folder: string;
  readonly papers: string;
  readonly env: Readonly<Record<string, string>>;
  readonly status: () => SupervisorStatus | undefined;
  readonly url: () => string | undefined;
  /** CUDA_VISIBLE_DEVICES of each server that was started, sorted. */
  readonly gpusSeen: () => string[];
}

function makeWorld(name: string, files: number, more: Readonly<Record<string, string>> = {}): World {
  const folder = join(root, name);
  const [papers, bin, record] = ['papers', 'bin', 'record'].map((each) => join(folder, each));
  assert.ok(papers !== undefined && bin !== undefined && record !== undefined);
  for (const each of [papers, bin, record]) mkdirSync(each, { recursive: true });
  writeFileSync(join(bin, 'nvidia-smi'), nvidiaSmi, { mode: 0o755 });
  for (let at = 0; at < files; at += 1)
    writeFileSync(join(papers, `${at}.md`), `# Report ${at}\n\nThe turbine of harbour ${at} is green.\n`);
  const runtime = join(folder, 'shared/runtime');
  return {
    folder,
    papers,
    env: {
      PATH: [bin, process.env['PATH']].join(delimiter),
      CUDA_VISIBLE_DEVICES: '0,1',
      RAG_ENGINE: 'ollama',
      OLLAMA_BIN: fakeBin,
      OLLAMA_MODELS: join(folder, 'no-store'),
      RERANKER_BACKEND: 'none',
      RAG_SHARED_ROOT: join(folder, 'shared'),
      LOG_ROOT: join(folder, 'logs'),
      TMPDIR: folder,
      FAKE_OLLAMA_RECORD: record,
      FAKE_EMBED_MS: '60',
      LAYOUT_TEST: folder,
      ...more,
    },
    status: () => readIn(join(runtime, 'supervisors')) as SupervisorStatus | undefined,
    url: () => (readIn(join(runtime, 'ollama_service.json')) as { url: string } | undefined)?.url,
    gpusSeen: () =>
      readdirSync(record)
        .map(
          (file) =>
            JSON.parse(readFileSync(join(record, file), 'utf8')) as {
              argv: string[];
              env: Record<string, string>;
            },
        )
        .filter(({ argv }) => argv[0] === 'serve')
        .map(({ env }) => env['CUDA_VISIBLE_DEVICES'] ?? 'unset')
        .toSorted(),
  };
}

/** A file, or the newest in a folder. */
function readIn(path: string): unknown {
  try {
    const file = path.endsWith('.json')
      ? path
      : join(
          path,
          readdirSync(path)
            .filter((name) => name.endsWith('.json'))
            .sort()
            .at(-1) ?? '',
        );
    return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
  } catch {
    return undefined; // it is being written
  }
}

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
  const world = makeWorld('serve', 200, { RAG_WATCH_SECONDS: '1' });
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
  assert.deepEqual(await found(url, 'Which colour has the lantern?'), ['first.md']);
  for (const path of ['/query', '/query/stream', '/api/chat', '/api/generate', '/v1/chat/completions']) {
    const response = await post(url, path, { query: 'Which colour?', model: 'qwen3:235b', messages: [] });
    assert.equal(response.status, 503, path);
    assert.ok(Number(response.headers.get('retry-after')) >= 5, path);
    const { error } = (await response.json()) as { error: { message: string; hint: string } };
    assert.match(error.message, /no room beside the embed servers.*starts when everything is ingested/);
    assert.match(error.hint, /supervisor\.js status local-/);
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
  const worker = runProgram(['run', '--mode', 'query', '--query', 'Which colour has the lantern?'], {
    env: { ...world.env, OLLAMA_HOST: 'published' },
  });

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
  const asked = await worker;
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
    if (phase === 'ingest') assert.deepEqual(world.gpusSeen(), ['0', '1']);
  });

test('a generator that cannot be started after the switch ends the job, and says why', async () => {
  const world = makeWorld('lost', 10, { FAKE_MODELS: 'qwen3-embedding:8b' });
  await using started = start(world, '--mode', 'serve');
  const { code, stderr } = await started.program.ended;
  assert.equal(code, 78, stderr);
  assert.match(stderr, /ollama-generate has failed: Cannot serve qwen3:235b: it is not in the model store/);
  await untilGone('LAYOUT_TEST', world.folder, 2000);
});
