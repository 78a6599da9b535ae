import assert from 'node:assert/strict';
import { mkdir, readdir } from 'node:fs/promises';
import path from 'node:path';
import { after, test } from 'node:test';
import { storeHostSpec } from '../../src/services/store-host.ts';
import { openStore } from '../../src/store/wire/client.ts';
import type { ChildSpec } from '../../src/supervise/spec.ts';
import { watchLeaks } from '../leaks.ts';
import { encoder, rowsOf } from '../store/samples.ts';
import { openBench, soon } from './serving.ts';

const leaks = watchLeaks();
after(() => leaks.assertNone());

const specIn = (dir: string, baseEnv: Readonly<Record<string, string>> = {}): ChildSpec =>
  storeHostSpec({
    dir: path.join(dir, 'index'),
    baseEnv: { PATH: process.env['PATH'] ?? '', ...baseEnv },
    cwd: path.join(dir, 'scratch'),
    logFile: path.join(dir, 'store.log'),
    graceMs: 10_000,
    supervisorId: 'test.1',
  });

test('the store host is ready when it has said so over its channel', async () => {
  await using bench = await openBench();
  await mkdir(path.join(bench.dir, 'scratch'));
  const tree = bench.start(specIn(bench.dir));
  await tree.untilReady(['store'], soon());
  assert.equal(tree.running('store')?.launch.env['RAG_SUPERVISOR_ID'], 'test.1');
});

test('the store host leaves its temporary folders in the scratch of the run, which goes with it', async () => {
  await using bench = await openBench();
  const [scratch, temporary] = [path.join(bench.dir, 'scratch'), path.join(bench.dir, 'tmp')];
  for (const dir of [scratch, temporary]) await mkdir(dir);
  const tree = bench.start(specIn(bench.dir, { TMPDIR: temporary }));
  await tree.untilReady(['store'], soon());
  const channel = tree.running('store')?.channel ?? assert.fail();
  await using store = openStore({ untilChannel: async () => channel, signal: soon() });
  await store.beginWriting(encoder, 'run');
  await store.append(rowsOf({ key: 'a', texts: ['text'] }));
  await store.consolidate();
  assert.deepEqual(await readdir(temporary), []);
  assert.notDeepEqual(await readdir(scratch), [], 'LanceDB makes none any more: then this may go');
});
