/** What may happen to the log of a child, and the child goes on. */
import assert from 'node:assert/strict';
import { renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { RagError } from '../../src/errors.ts';
import type { ChildSpec, Running, Tree } from '../../src/supervise/spec.ts';
import { startTree } from '../../src/supervise/tree.ts';
import { watchLeaks } from '../leaks.ts';
import { until } from '../until.ts';
import {
  budget,
  childSpec,
  commandOf,
  pidOf,
  readyWhen,
  soon,
  temporaryFolder,
  untilState,
} from './children.ts';

const leaks = watchLeaks();
after(() => leaks.assertNone());

const megabyte = 1_000_000;
const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;
const running = (tree: Tree): Running => tree.running('child') ?? assert.fail('it is not ready');

/** The number of the last line of `talks-without-end.sh`. */
const lastNumber = (tree: Tree): number => Number(running(tree).logTail(2)[0]?.split(' ')[1] ?? 0);

async function untilItTalked(tree: Tree): Promise<void> {
  const from = lastNumber(tree);
  await until(() => lastNumber(tree) > from + 20, 'the child goes on');
}

const writer = (folder: string, ...command: [string, ...string[]]): ChildSpec =>
  childSpec(folder, 'child', commandOf(...command), { readiness: readyWhen(() => true) });

test('200 MB of output stop nothing, and neither disk nor memory holds them', async () => {
  using folder = temporaryFolder();
  const spec = writer(folder.path, 'floods-in-gulps.sh', '200');
  await using tree = startTree([spec], { budget });
  await tree.untilReady(['child'], soon());
  const before = process.memoryUsage.rss();
  const most = { disk: 0, memory: 0 };
  await until(() => {
    const disk = ['', '.1', '.new'].reduce((sum, end) => sum + sizeOf(`${spec.logFile}${end}`), 0);
    most.disk = Math.max(most.disk, disk);
    most.memory = Math.max(most.memory, process.memoryUsage.rss() - before);
    return running(tree).logTail(1)[0] === 'over';
  }, 'the flood is over');
  assert.ok(most.disk < 170 * megabyte, `${most.disk} bytes of disk`);
  assert.ok(most.memory < 100 * megabyte, `${most.memory} bytes of memory`);
  assert.equal(tree.statuses()[0]?.restarts, 0);
});

test('a child goes on writing while the supervisor is blocked', async () => {
  using folder = temporaryFolder();
  await using tree = startTree([writer(folder.path, 'talks-without-end.sh')], { budget });
  await tree.untilReady(['child'], soon());
  const log = join(folder.path, 'child.log');
  await until(() => sizeOf(log) > 0, 'it writes');
  const before = sizeOf(log);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 3000);
  // A pipe would have taken 64 KiB.
  const written = sizeOf(log) - before;
  assert.ok(written > megabyte, `${written} bytes were written`);
});

test('a child whose log is deleted or replaced goes on, and its last lines stand in the error that ends it', async () => {
  using folder = temporaryFolder();
  const events: string[] = [];
  await using tree = startTree([writer(folder.path, 'talks-without-end.sh')], {
    budget: { ...budget, intensity: 0 },
    onEvent: ({ event }) => events.push(event),
  });
  await tree.untilReady(['child'], soon());
  const log = join(folder.path, 'child.log');
  renameSync(log, join(folder.path, 'moved'));
  writeFileSync(log, 'of a stranger\n');
  await untilItTalked(tree);
  rmSync(log);
  rmSync(join(folder.path, 'moved'));
  await untilItTalked(tree);
  await until(() => events.includes('log-lost'), 'it is told');
  const number = lastNumber(tree);
  const failed = untilState(tree, 'child', 'failed');
  process.kill(pidOf(tree, 'child'), 'SIGKILL');
  await failed;
  const [status] = tree.statuses();
  const error = status?.current.state === 'failed' ? status.current.error : undefined;
  const last = /(\d+)$/.exec(error instanceof RagError ? (error.hint ?? '') : '')?.[1];
  assert.ok(Number(last) >= number, `the last line is ${last}, wanted ${number} or later`);
  assert.deepEqual(events.filter((event) => event === 'log-lost').length, 1);
});
