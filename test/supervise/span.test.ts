/** Children that are started later than the tree, or ended before it. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { codeOf } from '../../src/errors.ts';
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
  stateOf,
  temporaryFolder,
  untilState,
} from './children.ts';

const leaks = watchLeaks();
after(() => leaks.assertNone());

const sleeps = commandOf('sleeps.sh');

test('some leave in reverse order, others come in their place, and neither is a failure or a restart', async () => {
  using folder = temporaryFolder();
  const seen: string[] = [];
  const important = { significant: true };
  await using tree = startTree(
    [
      childSpec(folder.path, 'late', sleeps, { ...important, later: true }),
      childSpec(folder.path, 'one', sleeps, important),
      childSpec(folder.path, 'two', sleeps, important),
      childSpec(folder.path, 'stays', sleeps, important),
    ],
    { budget },
  );
  let isOver = false;
  void tree.ended.then(() => (isOver = true));
  await tree.untilReady(['one', 'two', 'stays'], soon());
  const [kept, leaving] = [pidOf(tree, 'stays'), [pidOf(tree, 'one'), pidOf(tree, 'two')]];
  assert.equal(stateOf(tree, 'late').state, 'pending');
  tree.onChange(({ id, current }) => seen.push(`${id} ${current.state}`));
  await tree.end(['one', 'two']);
  assert.ok(leaving.every(isGone));
  tree.start(['late']);
  await tree.untilReady(['late', 'stays'], soon());
  assert.deepEqual(seen, [
    'two stopping',
    'two exited',
    'one stopping',
    'one exited',
    'late starting',
    'late ready',
  ]);
  assert.equal(pidOf(tree, 'stays'), kept);
  assert.ok(tree.statuses().every(({ restarts }) => restarts === 0));
  assert.equal(isOver, false);
  tree.start(['late', 'one']);
  assert.equal(stateOf(tree, 'one').state, 'exited', 'nobody comes back');
});

test('one that came later is started again when it crashes, and a storm of its exits ends the tree', async () => {
  using folder = temporaryFolder();
  await using tree = startTree(
    [
      childSpec(folder.path, 'early', sleeps),
      childSpec(folder.path, 'late', sleeps, { significant: true, later: true }),
      childSpec(folder.path, 'storm', commandOf('exits.sh', '1'), { significant: true, later: true }),
    ],
    { budget },
  );
  await tree.untilReady(['early'], soon());
  tree.start(['late']);
  await tree.untilReady(['late'], soon());
  const restarting = untilState(tree, 'late', 'restarting');
  process.kill(pidOf(tree, 'late'), 'SIGKILL');
  await restarting;
  await tree.untilReady(['late'], soon());
  tree.start(['storm']);
  const end = await tree.ended;
  assert.deepEqual([end.outcome, end.id], ['failed', 'storm']);
});

test('what was never started leaves at once with the tree, and starts no more', async () => {
  using folder = temporaryFolder();
  const events: TreeEvent[] = [];
  const tree = startTree(
    [
      childSpec(folder.path, 'early', sleeps),
      childSpec(folder.path, 'late', sleeps, { significant: true, later: true }),
    ],
    { budget, onEvent: (event) => events.push(event) },
  );
  await tree.untilReady(['early'], soon());
  await tree[Symbol.asyncDispose]();
  tree.start(['late']);
  assert.equal(stateOf(tree, 'late').state, 'exited');
  assert.equal(events.filter(({ event }) => event === 'spawned').length, 1);
});

test('one that is ended while it starts, or between two starts, has ended', async () => {
  using folder = temporaryFolder();
  await using tree = startTree(
    [
      childSpec(folder.path, 'loads', sleeps, { significant: true, readiness: readyWhen(() => false) }),
      childSpec(folder.path, 'storm', commandOf('exits.sh', '1'), { significant: true }),
    ],
    { budget: { ...budget, intensity: 100, backoff: { baseMs: 60_000, capMs: 60_000 } } },
  );
  await untilState(tree, 'loads', 'starting');
  await untilState(tree, 'storm', 'restarting');
  await tree.end(['loads', 'storm']);
  assert.deepEqual(
    tree.statuses().map(({ current }) => current.state),
    ['exited', 'exited'],
  );
});

test('the tree closes in the middle of an end, and all are gone', async () => {
  using folder = temporaryFolder();
  const tree = startTree(
    [
      childSpec(folder.path, 'late', sleeps, { later: true }),
      childSpec(folder.path, 'deaf', commandOf('ignores-term.sh'), {
        shutdown: { signal: 'SIGTERM', graceMs: 300 },
      }),
      childSpec(folder.path, 'stays', sleeps),
    ],
    { budget },
  );
  await tree.untilReady(['deaf', 'stays'], soon());
  const pids = [pidOf(tree, 'deaf'), pidOf(tree, 'stays')];
  const stopping = untilState(tree, 'deaf', 'stopping');
  const ending = tree.end(['deaf']);
  await stopping;
  await tree[Symbol.asyncDispose]();
  await ending;
  assert.ok(pids.every(isGone));
});

test('one that others follow is not ended without them', async () => {
  using folder = temporaryFolder();
  await using tree = startTree(
    [
      childSpec(folder.path, 'leader', sleeps),
      childSpec(folder.path, 'follower', sleeps, { after: ['leader'], follows: ['leader'] }),
    ],
    { budget },
  );
  await tree.untilReady(['follower'], soon());
  await assert.rejects(tree.end(['leader']), (error) => codeOf(error) === 'bug');
  await assert.rejects(tree.end(['nobody']), (error) => codeOf(error) === 'bug');
  await tree.end(['leader', 'follower']);
});
