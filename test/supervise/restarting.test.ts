import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { codeOf, RagError } from '../../src/errors.ts';
import type { ProbeResult, Running } from '../../src/supervise/spec.ts';
import { startTree, type TreeEvent } from '../../src/supervise/tree.ts';
import { watchLeaks } from '../leaks.ts';
import {
  budget,
  childSpec,
  commandOf,
  isGone,
  pidOf,
  readyWhen,
  soon,
  temporaryFolder,
  untilState,
} from './children.ts';

const leaks = watchLeaks();
after(() => leaks.assertNone());

test('a crashed child is started again, with the reason, after its old group was emptied', async () => {
  using folder = temporaryFolder();
  await using tree = startTree([childSpec(folder.path, 'child', commandOf('orphans-a-child.sh'))], {
    budget,
  });
  await tree.untilReady(['child'], soon());
  const pid = pidOf(tree, 'child');
  const restarting = untilState(tree, 'child', 'restarting');
  process.kill(pid, 'SIGKILL');
  await restarting;
  assert.ok(isGone(pid), 'the orphan of the old start is alive');
  await tree.untilReady(['child'], soon());
  assert.notEqual(pidOf(tree, 'child'), pid);
  assert.deepEqual(tree.statuses()[0]?.restarts, 1);
  assert.equal(tree.statuses()[0]?.reason, 'was ended by SIGKILL');
});

test('a storm of exits spends the budget and ends the tree with the reason and the last lines', async () => {
  using folder = temporaryFolder();
  const events: TreeEvent[] = [];
  await using tree = startTree(
    [childSpec(folder.path, 'ollama', commandOf('crashes-and-leaves-a-child.sh'), { significant: true })],
    { budget, onEvent: (event) => events.push(event) },
  );
  const end = await tree.ended;
  assert.equal(end.outcome, 'failed');
  const error = end.outcome === 'failed' ? end.error : undefined;
  assert.equal(codeOf(error), 'service-failed');
  assert.match(
    error?.message ?? '',
    /^Cannot keep ollama running: it exited with code 1, after 3 restarts, wanted/,
  );
  assert.match(error instanceof RagError ? (error.hint ?? '') : '', /^tail -n 100 .*ollama\.log\nleft \d+$/);
  const pids = events.filter(({ event }) => event === 'spawned').map(({ pid }) => Number(pid));
  assert.equal(pids.length, 4);
  assert.ok(pids.every(isGone));
  await assert.rejects(tree.untilReady(['ollama'], soon()), (reason) => reason === error);
});

test('an exit with 0 is final for a transient child and not for a permanent one', async () => {
  using folder = temporaryFolder();
  const once = { restart: 'transient' as const, readiness: readyWhen(() => false) };
  await using tree = startTree(
    [
      childSpec(folder.path, 'zero', commandOf('exits.sh', '0'), once),
      childSpec(folder.path, 'one', commandOf('exits.sh', '1'), once),
      childSpec(folder.path, 'always', commandOf('exits.sh', '0'), { readiness: readyWhen(() => false) }),
    ],
    { budget },
  );
  await Promise.all([
    untilState(tree, 'zero', 'exited'),
    untilState(tree, 'one', 'failed'),
    untilState(tree, 'always', 'failed'),
  ]);
  assert.deepEqual(
    tree.statuses().map(({ restarts }) => restarts),
    [0, 3, 3],
  );
});

test('the end of a significant temporary child ends the tree with its exit status', async () => {
  using folder = temporaryFolder();
  const workload = { restart: 'temporary' as const, significant: true };
  for (const [command, exit] of [
    [commandOf('exits.sh', '7'), { code: 7, signal: null }],
    [commandOf('dies-by-a-signal.sh', 'SEGV'), { code: null, signal: 'SIGSEGV' }],
  ] as const) {
    await using tree = startTree([childSpec(folder.path, 'workload', [...command], workload)], { budget });
    assert.deepEqual(await tree.ended, { outcome: 'exited', id: 'workload', exit });
  }
});

test('a fatal exit and a fatal probe never restart, and keep the error they were given', async () => {
  using folder = temporaryFolder();
  const wrong = new RagError('settings', 'Cannot run ollama: OLLAMA_HOST is wrong, wanted host:port');
  const probe = (): Promise<ProbeResult> => Promise.resolve({ outcome: 'fatal', error: wrong });
  await using tree = startTree(
    [
      childSpec(folder.path, 'probed', commandOf('sleeps.sh'), {
        significant: true,
        readiness: { periodMs: 10, timeoutMs: 10_000, probe },
      }),
      childSpec(folder.path, 'plain', commandOf('exits.sh', '78'), {
        fatalExit: ({ code }, tail) => (code === 78 ? new Error(`it said: ${tail.join()}`) : undefined),
      }),
    ],
    { budget },
  );
  assert.deepEqual(await tree.ended, { outcome: 'failed', id: 'probed', error: wrong });
  await untilState(tree, 'plain', 'failed');
  const { current, restarts } = tree.statuses()[1] ?? assert.fail();
  assert.match(
    current.state === 'failed' ? current.error.message : '',
    /plain running: it failed: it said: exits with 78/,
  );
  assert.equal(restarts, 0);
});

test('a child that never becomes ready is stopped, tried again and given up', async () => {
  using folder = temporaryFolder();
  const pids = new Set<number>();
  const note = ({ pid }: Running): boolean => pids.add(pid).size === 0;
  await using tree = startTree(
    [
      childSpec(folder.path, 'child', commandOf('sleeps.sh'), {
        significant: true,
        readiness: readyWhen(note, 60),
      }),
    ],
    { budget },
  );
  const end = await tree.ended;
  assert.match(
    end.outcome === 'failed' ? end.error.message : '',
    /was not ready after 0\.\d s: it is silent/,
  );
  assert.equal(pids.size, 4);
  assert.ok([...pids].every(isGone));
});

test('a program that is not there, and a launch that fails, go through the budget; an error of ours does not', async () => {
  using folder = temporaryFolder();
  const refused = new RagError('preflight', 'Cannot find the model: it is not there, wanted it pulled');
  await using tree = startTree(
    [
      childSpec(folder.path, 'missing', ['no-such-program']),
      childSpec(folder.path, 'homeless', ['true'], {
        launch: () =>
          Promise.resolve({ command: ['true'], env: {}, cwd: join(folder.path, 'no-such-folder') }),
      }),
      childSpec(folder.path, 'unlucky', ['true'], { launch: () => Promise.reject(new Error('no port')) }),
      childSpec(folder.path, 'refused', ['true'], { launch: () => Promise.reject(refused) }),
      childSpec(folder.path, 'next', commandOf('sleeps.sh'), { after: ['refused'] }),
    ],
    { budget },
  );
  const ids = tree.statuses().map(({ id }) => id);
  await Promise.all(ids.map((id) => untilState(tree, id, 'failed')));
  const messages = tree
    .statuses()
    .map(({ current }) => (current.state === 'failed' ? current.error.message : ''));
  assert.match(messages[0] ?? '', /exited with code 127/);
  assert.match(messages[1] ?? '', /no-such-folder/);
  assert.match(messages[2] ?? '', /could not be started: no port, after 3 restarts/);
  assert.equal(messages[3], refused.message);
  assert.equal(messages[4], refused.message);
  assert.deepEqual(
    tree.statuses().map(({ restarts }) => restarts),
    [3, 3, 3, 0, 0],
  );
});

test('fifty restarts leave no descriptor and no zombie', async () => {
  using folder = temporaryFolder();
  const patient = { intensity: 50, periodMs: 60_000, backoff: { baseMs: 1, capMs: 1 } };
  const descriptors = (): number => readdirSync('/proc/self/fd').length;
  await using first = startTree([childSpec(folder.path, 'first', ['true'], { restart: 'temporary' })], {
    budget,
  });
  await untilState(first, 'first', 'exited');
  const before = descriptors();
  await using tree = startTree([childSpec(folder.path, 'child', ['false'], { channel: 'frames' })], {
    budget: patient,
  });
  await untilState(tree, 'child', 'failed');
  assert.equal(tree.statuses()[0]?.restarts, 50);
  assert.equal(descriptors(), before);
  await leaks.assertNone();
});

test('once the end is near, a child that ends is not started again and nobody is told that the tree failed', async () => {
  using folder = temporaryFolder();
  const command = commandOf('orphans-a-child.sh');
  const specs = ['one', 'two'].map((id) => childSpec(folder.path, id, command, { significant: true }));
  await using tree = startTree(specs, { budget });
  await tree.untilReady(['one', 'two'], soon());
  const restarting = untilState(tree, 'one', 'restarting');
  process.kill(pidOf(tree, 'one'), 'SIGTERM');
  await restarting;
  tree.letEnd();
  const exited = untilState(tree, 'two', 'exited');
  process.kill(pidOf(tree, 'two'), 'SIGTERM');
  await exited;
  assert.deepEqual(
    tree.statuses().map(({ current }) => current.state),
    ['exited', 'exited'],
  );
  const over = await Promise.race([
    tree.ended,
    new Promise((resolve) => setImmediate(() => resolve('goes on'))),
  ]);
  assert.equal(over, 'goes on');
});
