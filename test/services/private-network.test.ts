import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { after, test } from 'node:test';
import { codeOf } from '../../src/errors.ts';
import { socketPathOf } from '../../src/models/address.ts';
import { makeEmbed } from '../../src/models/embed.ts';
import { makeRoster } from '../../src/models/roster.ts';
import { embeddedSpec } from '../../src/services/embedded.ts';
import { ollamaSpec, type OllamaOptions } from '../../src/services/ollama.ts';
import { nextSocket, privatePort } from '../../src/services/private-network.ts';
import { killRunners } from '../../src/services/runners.ts';
import { probeContainment } from '../../src/supervise/containment.ts';
import type { ChildSpec, Tree } from '../../src/supervise/spec.ts';
import { startTree } from '../../src/supervise/tree.ts';
import { watchLeaks } from '../leaks.ts';
import { endOf, openBench, soon, type Bench } from './serving.ts';

const here = await probeContainment({ wanted: 'auto', path: process.env['PATH'] ?? '' });
const skip = here.network === 'private' ? false : `no private networks here: ${here.reason}`;
const leaks = watchLeaks();
after(() => leaks.assertNone());

const budget = { intensity: 2, periodMs: 60_000, backoff: { baseMs: 10, capMs: 20 } };
const startIn = (bench: Bench, ...specs: ChildSpec[]): Tree =>
  bench.keep(startTree(specs, { budget, containment: here }));

const privately = (bench: Bench, knobs: Readonly<Record<string, string>> = {}): OllamaOptions => ({
  ...bench.options(knobs),
  network: 'private',
});

const embedWith = (bench: Bench): Promise<Float32Array[]> => {
  const options = bench.options();
  const roster = makeRoster();
  roster.set('embed', 'ollama-embed', bench.served.at(-1));
  const embed = makeEmbed({ ...options, roster, prefixes: { query: '', passage: '' } });
  return embed({ texts: ['a', 'b'], kind: 'passage', signal: soon() });
};

/** What somebody outside gets who connects, as this user or another. */
function connectAs(uid: number | undefined, to: string): string {
  const script = `require('node:net').connect(${to})
    .on('connect', () => { console.log('connected'); process.exit(); })
    .on('error', ({ code }) => console.log(code))`;
  const as = uid === undefined ? {} : { uid, gid: uid };
  return spawnSync('node', ['-e', script], { cwd: '/', encoding: 'utf8', ...as }).stdout.trim();
}

const untilAgain = (tree: Tree): Promise<void> =>
  new Promise((resolve, reject) => {
    tree.onChange(({ current, restarts }) => {
      if (restarts === 1 && current.state === 'ready') resolve();
    });
    void tree.ended.then(() => reject(new Error('it did not come back')));
  });

test('a server in a private network embeds through its socket', { skip }, async () => {
  await using bench = await openBench();
  await startIn(bench, ollamaSpec(privately(bench))).untilReady(['ollama-embed'], soon());
  assert.match(bench.served[0]?.url ?? '', /^unix:\/.*\/ollama-embed\/1\.sock$/);
  assert.equal((await embedWith(bench)).length, 2);
});

test('two servers have the same port and never meet', { skip }, async () => {
  await using bench = await openBench();
  const one = ollamaSpec({ ...privately(bench), id: 'one' });
  const other = ollamaSpec({ ...privately(bench), id: 'other' });
  const tree = startIn(bench, one, other);
  await tree.untilReady(['one', 'other'], soon());
  const hosts = ['one', 'other'].map((id) => tree.running(id)?.launch.env['OLLAMA_HOST']);
  assert.deepEqual(hosts, [`127.0.0.1:${privatePort}`, `127.0.0.1:${privatePort}`]);
});

test('nobody outside reaches its port, this user neither', { skip }, async () => {
  await using bench = await openBench();
  await startIn(bench, ollamaSpec(privately(bench))).untilReady(['ollama-embed'], soon());
  assert.equal(connectAs(undefined, String(privatePort)), 'ECONNREFUSED');
  const socketPath = socketPathOf(bench.served[0]?.url ?? '') ?? '';
  assert.equal(connectAs(undefined, JSON.stringify(socketPath)), 'connected');
});

const isRoot = process.getuid?.() === 0;
const skipAlone = isRoot ? skip : 'only root can play another user';
test('another user cannot open its socket', { skip: skipAlone }, async () => {
  await using bench = await openBench();
  await startIn(bench, ollamaSpec(privately(bench))).untilReady(['ollama-embed'], soon());
  // What leads there is open to all: the instance's own folder is what keeps them out.
  for (const folder of [bench.dir, bench.options().stateDir]) chmodSync(folder, 0o755);
  const socketPath = socketPathOf(bench.served[0]?.url ?? '') ?? '';
  assert.equal(connectAs(65_534, JSON.stringify(socketPath)), 'EACCES');
  assert.equal(connectAs(65_534, String(privatePort)), 'ECONNREFUSED');
});

test('a server that was killed comes back at another socket, and the old one is gone', { skip }, async () => {
  await using bench = await openBench();
  const tree = startIn(bench, ollamaSpec(privately(bench, { FAKE_EXIT: 'die now' })));
  await tree.untilReady(['ollama-embed'], soon());
  const again = untilAgain(tree);
  const options = bench.options();
  const { url = '', model = '' } = bench.served[0] ?? {};
  const body = { model, input: 'die now', options: options.options };
  await assert.rejects(bench.http.json({ url, path: '/api/embed', body, signal: soon() }));
  await again;
  const files = await readdir(path.join(options.stateDir, 'ollama-embed'));
  assert.deepEqual(
    files.filter((name) => name.endsWith('.sock')),
    ['2.sock'],
  );
  assert.equal((await embedWith(bench)).length, 2);
});

test('a server that takes connections and never answers is not ready', { skip }, async () => {
  await using bench = await openBench();
  const spec = ollamaSpec({ ...privately(bench, { FAKE_HANG: '1' }), startTimeoutMs: 600 });
  const error = await endOf(startIn(bench, { ...spec, restart: 'temporary' }));
  assert.match(error.message, /not ready after/);
});

test('a start that is slow to listen is waited for', { skip }, async () => {
  await using bench = await openBench();
  const slow = path.join(import.meta.dirname, '../fixtures/starts-late.sh');
  const spec = ollamaSpec({ ...privately(bench, { LATE_OLLAMA: bench.options().bin }), bin: slow });
  const tree = startIn(bench, spec);
  await tree.untilReady(['ollama-embed'], soon());
  assert.equal(tree.statuses()[0]?.restarts, 0);
});

test('a program that is not there is an error of the settings', { skip }, async () => {
  await using bench = await openBench();
  const spec = ollamaSpec({ ...privately(bench), bin: '/no/such/ollama' });
  const error = await endOf(startIn(bench, spec));
  assert.deepEqual([error.code, error.hint], ['preflight', 'ls -l /no/such/ollama   # or set OLLAMA_BIN']);
});

test('behind the relay the runners of a server are found as ever', { skip }, async () => {
  await using bench = await openBench();
  const tree = startIn(bench, ollamaSpec(privately(bench)));
  await tree.untilReady(['ollama-embed'], soon());
  assert.equal(killRunners(tree.running('ollama-embed')?.pid ?? 0).length, 1);
  assert.equal((await embedWith(bench)).length, 2);
});

test('the embedded engine answers through a socket as well', { skip }, async () => {
  await using bench = await openBench();
  const { bin: _bin, ...options } = privately(bench);
  await startIn(bench, embeddedSpec(options)).untilReady(['ollama-embed'], soon());
  assert.match(bench.served[0]?.url ?? '', /^unix:/);
});

test('a folder whose path is too long for a socket is said to be so', async () => {
  const home = path.join('/tmp', 'x'.repeat(110));
  const error: unknown = await nextSocket(home, 1).catch((thrown: unknown) => thrown);
  assert.equal(codeOf(error), 'preflight');
  assert.match(String(error), /at most 107 are wanted/);
});
