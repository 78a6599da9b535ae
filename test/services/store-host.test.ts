import assert from 'node:assert/strict';
import path from 'node:path';
import { after, test } from 'node:test';
import { storeHostSpec } from '../../src/services/store-host.ts';
import { watchLeaks } from '../leaks.ts';
import { openBench, soon } from './serving.ts';

const leaks = watchLeaks();
after(() => leaks.assertNone());

test('the store host is ready when it has said so over its channel', async () => {
  await using bench = await openBench();
  const tree = bench.start(
    storeHostSpec({
      dir: path.join(bench.dir, 'index'),
      baseEnv: { PATH: process.env['PATH'] ?? '' },
      cwd: bench.dir,
      logFile: path.join(bench.dir, 'store.log'),
      graceMs: 10_000,
      supervisorId: 'test.1',
    }),
  );
  await tree.untilReady(['store'], soon());
  assert.equal(tree.running('store')?.launch.env['RAG_SUPERVISOR_ID'], 'test.1');
});
