import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempDisposable, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import {
  openPublication,
  parseServiceFile,
  type PublicationState,
  type Service,
} from '../../src/services/discovery.ts';
import { readIfThere } from '../../src/disk/atomic.ts';
import { makeOwner } from '../../src/disk/owner.ts';

const folder = (): ReturnType<typeof mkdtempDisposable> =>
  mkdtempDisposable(join(tmpdir(), 'rag-discovery-'));
const fast = { beatMs: 20, staleMs: 200 };

const service = (job: string): Service => ({
  host: '127.0.0.1',
  port: 4711,
  job_id: job,
  job,
  ip: '10.0.0.1',
  url: 'http://127.0.0.1:4711',
  token_file: '/state/tokens/a.token',
  url_token_file: '/state/tokens/a.url-token',
  node: 'node1',
  task: null,
  models: { generate: 'g', embed: 'e' },
  started_at: '2026-01-01T00:00:00.000Z',
});

const jobIn = async (path: string): Promise<string | undefined> =>
  parseServiceFile(await readFile(path, 'utf8'))?.job_id;

/** Everything that was told, and a promise of the first such state. */
function watched(wanted: PublicationState['state']): {
  told: PublicationState[];
  changed: Promise<PublicationState>;
  onChange: (state: PublicationState) => void;
} {
  const { promise, resolve } = Promise.withResolvers<PublicationState>();
  const told: PublicationState[] = [];
  const onChange = (now: PublicationState): void => {
    told.push(now);
    if (now.state === wanted) resolve(now);
  };
  return { told, changed: promise, onChange };
}

test('a publication tells host, port and job, counts its beats, and takes its file away when it ends', async () => {
  await using dir = await folder();
  const path = join(dir.path, 'runtime', 'ollama_service.json');
  {
    await using publication = await openPublication({ path, service: service('1'), ...fast });
    assert.deepEqual(publication.current(), { state: 'published' });
    const first = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
    assert.deepEqual(
      [first['host'], first['port'], first['job_id'], first['pid']],
      ['127.0.0.1', 4711, '1', process.pid],
    );
    let heartbeat = first['heartbeat'];
    while (heartbeat === first['heartbeat'])
      heartbeat = parseServiceFile(await readFile(path, 'utf8'))?.heartbeat;
  }
  assert.deepEqual(await readdir(join(dir.path, 'runtime')), []);
});

test('a second job holds back while the first one lives, and steps in when it has ended', async () => {
  await using dir = await folder();
  const path = join(dir.path, 'ollama_service.json');
  const { told, changed, onChange } = watched('published');
  const first = await openPublication({ path, service: service('1'), ...fast });
  await using second = await openPublication({ path, service: service('2'), ...fast, onChange });
  assert.deepEqual(second.current(), { state: 'held', by: 'job 1 on node1' });
  await first[Symbol.asyncDispose]();
  assert.deepEqual(await changed, { state: 'published' });
  assert.equal(await jobIn(path), '2');
  assert.deepEqual(told, [{ state: 'held', by: 'job 1 on node1' }, { state: 'published' }]);
});

test('a held publication that ends leaves the file to its owner', async () => {
  await using dir = await folder();
  const path = join(dir.path, 'ollama_service.json');
  await using first = await openPublication({ path, service: service('1'), ...fast });
  await (await openPublication({ path, service: service('2'), ...fast }))[Symbol.asyncDispose]();
  assert.equal(await jobIn(path), '1');
  assert.deepEqual(first.current(), { state: 'published' });
});

test('the file of a process that is proven dead is taken over at once', async () => {
  await using dir = await folder();
  const path = join(dir.path, 'ollama_service.json');
  const dead = { ...makeOwner(), started: 1 };
  await writeFile(path, JSON.stringify({ ...service('1'), heartbeat: 1, owner: dead }));
  await using publication = await openPublication({ path, service: service('2') });
  assert.deepEqual(publication.current(), { state: 'published' });
});

for (const [kind, content] of Object.entries({
  'of another node': JSON.stringify({
    ...service('1'),
    heartbeat: 1,
    owner: { nonce: 'n', pid: 1, started: 1, place: 'elsewhere' },
  }),
  'written by an older script': JSON.stringify({ host: 'node1', port: 11434, job_id: '1' }),
  'that is torn': '{"host":',
}))
  test(`a file ${kind} is taken over only after it stood still`, async () => {
    await using dir = await folder();
    const path = join(dir.path, 'ollama_service.json');
    await writeFile(path, content);
    const { changed, onChange } = watched('published');
    const began = performance.now();
    await using publication = await openPublication({ path, service: service('2'), ...fast, onChange });
    assert.equal(publication.current().state, 'held');
    assert.equal(await readFile(path, 'utf8'), content);
    assert.deepEqual(await changed, { state: 'published' });
    assert.ok(performance.now() - began >= fast.staleMs);
  });

test('an owner whose file was deleted claims it again; one whose file another took steps down', async () => {
  await using dir = await folder();
  const path = join(dir.path, 'ollama_service.json');
  const { told, changed, onChange } = watched('held');
  await using publication = await openPublication({ path, service: service('1'), ...fast, onChange });
  await rm(path);
  while ((await readdir(dir.path)).every((name) => name !== 'ollama_service.json'));
  assert.equal(await jobIn(path), '1');
  const usurper = {
    ...service('9'),
    heartbeat: 1,
    owner: { nonce: 'n', pid: 1, started: 1, place: 'elsewhere' },
  };
  // A beat that is under way puts the old content back: usurp until the owner has seen it.
  while (publication.current().state === 'published') {
    await writeFile(`${path}.new`, JSON.stringify(usurper));
    await rename(`${path}.new`, path);
  }
  assert.deepEqual(await changed, { state: 'held', by: 'job 9 on node1' });
  assert.deepEqual(told[0], { state: 'published' });
});

const contender = `
  import { openPublication } from ${JSON.stringify(new URL('../../src/services/discovery.ts', import.meta.url).href)};
  const [path, job] = process.argv.slice(1);
  const service = { host: '127.0.0.1', port: 1, job_id: job, ip: '', url: '', token_file: '', url_token_file: '', node: 'n', task: null, models: {}, started_at: '' };
  process.stdin.once('data', async () => {
    await using publication = await openPublication({ path, service, beatMs: 60_000 });
    console.log(publication.current().state);
    await new Promise((resolve) => process.stdin.once('end', resolve));
    process.stdin.destroy();
  });
  console.log('armed');`;

test('a claim that a slower one takes for the stale file is not told as published', async () => {
  await using dir = await folder();
  const path = join(dir.path, 'ollama_service.json');
  const dead = { ...makeOwner(), started: 1 };
  await writeFile(path, JSON.stringify({ ...service('1'), heartbeat: 1, owner: dead }));
  const opening = openPublication({ path, service: service('2') });
  while ((await readIfThere(path))?.includes('"job_id": "2"') !== true);
  await rm(path);
  await writeFile(path, JSON.stringify({ ...service('3'), heartbeat: 1, owner: makeOwner() }));
  await using publication = await opening;
  assert.deepEqual(publication.current(), { state: 'held', by: 'job 3 on node1' });
});

test('of several processes that take over a dead owner at once exactly one wins', async () => {
  for (let round = 0; round < 3; round += 1) {
    await using dir = await folder();
    const path = join(dir.path, 'ollama_service.json');
    await writeFile(
      path,
      JSON.stringify({ ...service('1'), heartbeat: 1, owner: { ...makeOwner(), started: 1 } }),
    );
    const children = ['2', '3', '4'].map((job) => startContender(path, job));
    try {
      for (const { lines } of children) assert.equal(await next(lines), 'armed');
      for (const { child } of children) child.stdin?.write('go\n');
      const states = await Promise.all(children.map(({ lines }) => next(lines)));
      assert.deepEqual(states.sort(), ['held', 'held', 'published']);
    } finally {
      for (const { child } of children) child.stdin?.end();
      await Promise.all(children.map(({ exited }) => exited));
    }
    assert.deepEqual(await readdir(dir.path), []);
  }
});

function startContender(
  path: string,
  job: string,
): { child: ChildProcess; lines: AsyncIterator<string>; exited: Promise<unknown> } {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', contender, path, job], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  return { child, lines: createInterface(child.stdout)[Symbol.asyncIterator](), exited: once(child, 'exit') };
}

async function next(lines: AsyncIterator<string>): Promise<string> {
  const { value } = await lines.next();
  return value ?? assert.fail('the contender ended');
}
