/** Documents that are sent to a supervisor that runs: by HTTP, and by `ingest` whose files it sees, or does not see. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { makeStore } from '../fixtures/fake-ollama/make-store.ts';
import { fakeBin } from '../fixtures/fake-ollama/start.ts';
import { type Program, runProgram, startProgram, until, untilGone } from './program.ts';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rag-uploads-'));
  await mkdir(join(folder, 'papers/sub'), { recursive: true });
  await writeFile(join(folder, 'papers/lantern.md'), '# Lantern\n\nThe lantern is green.\n');
  await writeFile(join(folder, 'papers/sub/violin.md'), '# Violin\n\nThe violin is red.\n');
  await writeFile(join(folder, 'papers/broken.pdf'), '%PDF-1.4 broken');
});
after(() => rm(folder, { recursive: true }));

const environment = (name: string): Record<string, string> => ({
  RAG_ENGINE: 'embedded',
  RAG_SHARED_ROOT: join(folder, name),
  LOG_ROOT: join(folder, 'logs'),
  TMPDIR: folder,
  RAG_WATCH_SECONDS: '0',
  UPLOAD_TEST: join(folder, name),
});

interface Service extends AsyncDisposable {
  readonly program: Program;
  readonly env: Readonly<Record<string, string>>;
  readonly url: string;
}

/** @param node what starts it instead of Node */
async function serve(
  name: string,
  more: Readonly<Record<string, string>> = {},
  node: string = process.execPath,
): Promise<Service> {
  const env = { ...environment(name), ...more };
  const program = startProgram(['run', '--mode', 'serve'], { env, node });
  const early = program.ended.then(({ stderr }) => assert.fail(`it ended by itself:\n${stderr}`));
  const published = join(folder, name, 'runtime/ollama_service.json');
  const read = async (): Promise<string | undefined> => {
    const text = await readFile(published, 'utf8').catch(() => '{}');
    const { pid, url } = JSON.parse(text) as { pid?: number; url?: string };
    return pid === program.pid ? url : undefined;
  };
  const url = await Promise.race([until('the endpoint file', 60_000, read), early]);
  early.catch(() => undefined);
  return {
    program,
    env,
    url,
    [Symbol.asyncDispose]: async () => {
      process.kill(program.pid, 'SIGTERM');
      await program.ended;
      await untilGone('UPLOAD_TEST', env['UPLOAD_TEST'] ?? '', 5000);
    },
  };
}

interface Summary {
  readonly documents: Readonly<Record<string, number>>;
  readonly chunks: number;
  readonly embedded: number;
  readonly failures: readonly { readonly document: string }[];
  readonly exit: number;
}
const summaryOf = (stdout: string): Summary => JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Summary;
const withoutTime = ({ documents, chunks, embedded, exit }: Summary): unknown => ({
  documents,
  chunks,
  embedded,
  exit,
});

const documents = async (url: string, query = ''): Promise<string[]> => {
  const answer = await fetch(`${url}/documents?${query}`);
  const page = (await answer.json()) as { documents: { id: string; state: string }[] };
  return page.documents.map(({ id, state }) => `${id} ${state}`);
};

const send = (url: string, name: string, text: string): Promise<Response> => {
  const body = new FormData();
  body.append('file', new Blob([text]), name);
  return fetch(`${url}/documents/upload`, { method: 'POST', body });
};

test('ingest, remove and a file of questions are done by the supervisor that runs, as in this process', async () => {
  const alone = environment('alone');
  const here = await runProgram(['ingest', '--here', 'papers', '--json'], { env: alone, cwd: folder });
  assert.equal(here.code, 3, here.stderr);
  await using service = await serve('there');
  const { env } = service;
  const there = await runProgram(['ingest', 'papers', '--json'], { env, cwd: folder });
  assert.equal(there.code, 3, there.stderr);
  assert.match(there.stderr, /job local-\d+ on \S+ ingests it/);
  assert.deepEqual(withoutTime(summaryOf(there.stdout)), withoutTime(summaryOf(here.stdout)));
  assert.deepEqual(summaryOf(there.stdout).failures, summaryOf(here.stdout).failures);
  assert.deepEqual(await documents(service.url), [
    'broken.pdf failed',
    'lantern.md processed',
    'sub/violin.md processed',
  ]);

  const metrics = await (await fetch(`${service.url}/metrics`)).text();
  assert.match(metrics, /^rag_ingest_documents_total(?:\{.*\})? 3$/m, 'what clients ask for is counted, too');

  await writeFile(
    join(folder, 'q.jsonl'),
    '{"id":"a","query":"Which is green?"}\n{"id":"b","query":"Which is red?"}\n',
  );
  const asked = ['query', '--queries', 'q.jsonl', '--answers', 'a.jsonl', '--json'];
  const batch = await runProgram(asked, {
    env: { ...env, RAG_WORKING_DIR: join(folder, 'nothing') },
    cwd: folder,
  });
  assert.equal(batch.code, 0, batch.stderr);
  const lines = (await readFile(join(folder, 'a.jsonl'), 'utf8')).trim().split('\n');
  const records = lines.map((line) => JSON.parse(line) as { id: string; answer: string });
  assert.deepEqual(
    records.map(({ id }) => id),
    ['a', 'b'],
  );
  assert.match(records[0]?.answer ?? '', /lantern is green/);

  const listed = await runProgram(['index', 'remove', 'sub/**', 'file:papers/broken.pdf', '--json'], {
    env,
    cwd: folder,
  });
  assert.deepEqual(JSON.parse(listed.stdout), { removed: 0, documents: ['broken.pdf', 'sub/violin.md'] });
  const removed = await runProgram(['index', 'remove', 'sub/**', '--yes'], { env, cwd: folder });
  assert.equal(removed.stdout, 'sub/violin.md\n1 removed\n', removed.stderr);
  assert.deepEqual(await documents(service.url), ['broken.pdf failed', 'lantern.md processed']);

  const other = await runProgram(['ingest', 'papers', '--json', '--max-failed', '1'], {
    env: { ...env, RAG_WORKING_DIR: join(folder, 'alone/rag_storage') },
    cwd: folder,
  });
  assert.equal(other.code, 0, other.stderr);
  assert.match(other.stderr, /working in this process: job \S+ on \S+ has another index/);
  assert.equal(summaryOf(other.stdout).documents['unchanged'], 2);
});

test('files that the supervisor does not see are sent by their hash, once, and told of as if it saw them', async (context) => {
  const hidden = join(folder, 'papers');
  // In a mount namespace of its own, where another folder lies at that place.
  const prefix = ['unshare', '--mount', 'sh', '-c', `mount -t tmpfs tmpfs ${hidden} && exec "$0" "$@"`];
  if (process.getuid?.() !== 0) return context.skip('needs root');
  const node = join(folder, 'hiding-node');
  await writeFile(
    node,
    `#!/bin/sh\nexec ${prefix.map((word) => `'${word}'`).join(' ')} ${process.execPath} "$@"\n`,
    { mode: 0o755 },
  );
  await using service = await serve('far', {}, node);
  const { env, url } = service;
  const first = await runProgram(['ingest', 'papers', '--json'], { env, cwd: folder });
  assert.equal(first.code, 3, first.stderr);
  assert.match(first.stderr, /does not see these files.*: they are sent/);
  const summary = summaryOf(first.stdout);
  assert.deepEqual(summary.documents, { processed: 2, unchanged: 0, failed: 1, needs_ocr: 0 });
  assert.equal(summary.failures[0]?.document, 'uploads//broken.pdf');
  assert.deepEqual(await documents(url), [
    'uploads//broken.pdf failed',
    'uploads//lantern.md processed',
    'uploads//sub/violin.md processed',
  ]);
  const again = await runProgram(['ingest', 'papers', '--json'], { env, cwd: folder });
  assert.deepEqual(summaryOf(again.stdout).documents, {
    processed: 0,
    unchanged: 2,
    failed: 1,
    needs_ocr: 0,
  });
  const pruned = await runProgram(['ingest', 'papers', '--prune'], { env, cwd: folder });
  assert.equal(pruned.code, 64, pruned.stderr);
  const nothing = await runProgram(['ingest', 'no-such-folder'], { env, cwd: folder });
  assert.equal(nothing.code, 65, nothing.stderr);
  const { stdout } = await runProgram(['retrieve', 'violin', '--topk', '1'], { env });
  assert.match(stdout, /sub\/violin\.md \(Violin\)/);
});

test('a supervisor that is killed after it said 202 loses nothing: the next run ingests it, whatever it is given', async () => {
  const models = join(folder, 'models');
  makeStore(models, ['qwen3:235b', 'qwen3-embedding:8b']);
  const slow = { RAG_ENGINE: 'ollama', OLLAMA_BIN: fakeBin, OLLAMA_MODELS: models, RAG_ALLOW_CPU: '1' };
  const service = await serve('killed', slow);
  const answer = await send(service.url, 'harbour.md', '# Harbour\n\nThe harbour was closed.\n');
  process.kill(service.program.pid, 'SIGKILL');
  assert.equal(answer.status, 202);
  await service.program.ended;
  await untilGone('UPLOAD_TEST', service.env['UPLOAD_TEST'] ?? '', 5000);

  const run = ['run', '--mode', 'ingest', '--input-file', join(folder, 'papers/lantern.md'), '--json'];
  const next = await runProgram(run, { env: service.env });
  assert.equal(next.code, 0, next.stderr);
  const { processed = 0, unchanged = 0 } = summaryOf(next.stdout).documents;
  assert.equal(processed + unchanged, 2);
  await using later = await serve('killed', slow);
  await until('both documents', 20_000, async () =>
    (await documents(later.url, 'state=processed')).length === 2 ? true : undefined,
  );
  assert.deepEqual(await documents(later.url), ['lantern.md processed', 'uploads//harbour.md processed']);
});

test('an upload is found soon after it came, is replaced by its name and is gone when it is deleted', async () => {
  await using service = await serve('soon');
  const found = async (text: string): Promise<string> =>
    (await runProgram(['retrieve', text, '--topk', '1'], { env: service.env })).stdout;
  const untilState = (state: string): Promise<true> =>
    until(state, 20_000, async () =>
      (await documents(service.url)).every((each) => each.endsWith(state)) ? true : undefined,
    );
  assert.equal((await send(service.url, 'note.md', '# Note\n\nThe compass points north.\n')).status, 202);
  await untilState('processed');
  assert.match(await found('compass'), /points north/);
  assert.equal((await send(service.url, 'note.md', '# Note\n\nThe compass points south.\n')).status, 202);
  await until('the other text', 20_000, async () =>
    (await found('compass')).includes('south') ? true : undefined,
  );
  const gone = await fetch(`${service.url}/documents/${encodeURIComponent('uploads//note.md')}`, {
    method: 'DELETE',
  });
  assert.deepEqual(await gone.json(), { removed: 1, documents: ['uploads//note.md'] });
  assert.deepEqual(await documents(service.url), []);
  assert.doesNotMatch(await found('compass'), /compass/);
});

test('Ctrl-C leaves the ingest to the supervisor and says how to stop it, and that stops it', async () => {
  const models = join(folder, 'models');
  makeStore(models, ['qwen3:235b', 'qwen3-embedding:8b']);
  const many = join(folder, 'many');
  await mkdir(many);
  for (let n = 0; n < 300; n += 1) await writeFile(join(many, `${n}.md`), `# ${n}\n\nWord ${n} of them.\n`);
  const slow = {
    RAG_ENGINE: 'ollama',
    OLLAMA_BIN: fakeBin,
    OLLAMA_MODELS: models,
    RAG_ALLOW_CPU: '1',
    FAKE_EMBED_MS: '200',
  };
  await using service = await serve('left', slow);
  const client = startProgram(['ingest', 'many'], { env: service.env, cwd: folder });
  await until('the order', 20_000, async () => {
    const status = (await (await fetch(`${service.url}/status`)).json()) as {
      ingests: { state: { state: string } }[];
    };
    return status.ingests.some(({ state }) => state.state === 'running') ? true : undefined;
  });
  process.kill(client.pid, 'SIGINT');
  const left = await client.ended;
  assert.equal(left.code, 75, left.stderr);
  const [, id = ''] =
    /goes on with it; to stop it: node dist\/supervisor\.js ingest --stop (\S+)/.exec(left.stderr) ?? [];
  const stopped = await runProgram(['ingest', '--stop', id, '--json'], { env: service.env });
  assert.equal(stopped.code, 75, stopped.stderr);
  assert.equal(summaryOf(stopped.stdout).exit, 75);
  const unknown = await runProgram(['ingest', '--stop', 'never-begun'], { env: service.env });
  assert.match(unknown.stderr, /Cannot find the ingest "never-begun"/);
});

test('a run that only ingests, and one beside a workload, take nothing', async () => {
  const env = environment('workload');
  const begun = join(folder, 'begun');
  const words = [
    'run',
    '--input-file',
    join(folder, 'papers/lantern.md'),
    '--',
    'sh',
    '-c',
    `touch ${begun}; exec sleep 60`,
  ];
  const program = startProgram(words, { env });
  await until('the workload', 60_000, () => (existsSync(begun) ? true : undefined));
  const refused = await runProgram(['ingest', join(folder, 'papers')], { env });
  assert.equal(refused.code, 64, refused.stderr);
  assert.match(refused.stderr, /Cannot change the documents of this job: its workload finds the same/);
  assert.match(refused.stderr, /ingest --here/);
  process.kill(program.pid, 'SIGTERM');
  await program.ended;
});
