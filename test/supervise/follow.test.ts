import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { codeOf } from '../../src/errors.ts';
import { makeFollowing } from '../../src/supervise/follow.ts';
import type { ChildSpec, ChildState, Launch, Tree } from '../../src/supervise/spec.ts';
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

const slow = { ...budget, backoff: { baseMs: 600_000, capMs: 600_000 } };

const behind = { after: ['a'], follows: ['a'] };

/** `b follows a` as `child(folder, 'b', 'a')`. */
const child = (folder: string, id: string, leader?: string, changes: Partial<ChildSpec> = {}): ChildSpec =>
  childSpec(folder, id, commandOf('sleeps.sh'), {
    ...(leader === undefined ? {} : { after: [leader], follows: [leader] }),
    ...changes,
  });

const kill = (tree: Tree, id: string): void => void process.kill(pidOf(tree, id), 'SIGKILL');

async function crash(tree: Tree, id: string): Promise<void> {
  const crashed = untilState(tree, id, 'restarting');
  kill(tree, id);
  await crashed;
}

const statesOf = (tree: Tree): ChildState['state'][] => tree.statuses().map(({ current }) => current.state);

test('those that follow are stopped in reverse order, and start behind the one that was started again', async () => {
  using folder = temporaryFolder();
  const seen: string[] = [];
  await using tree = startTree(
    [
      child(folder.path, 'a'),
      child(folder.path, 'b', 'a'),
      child(folder.path, 'c', 'b'),
      child(folder.path, 'other', undefined, { after: ['a'] }),
    ],
    { budget },
  );
  await tree.untilReady(['a', 'b', 'c', 'other'], soon());
  const other = pidOf(tree, 'other');
  tree.onChange(({ id, current }) => seen.push(`${id} ${current.state}`));
  await crash(tree, 'a');
  await tree.untilReady(['a', 'b', 'c'], soon());
  assert.deepEqual(
    seen.join(', '),
    'a stopping, a restarting, c stopping, c restarting, b stopping, b restarting, ' +
      'a starting, a ready, b starting, b ready, c starting, c ready',
  );
  assert.deepEqual(
    tree.statuses().map(({ restarts, reason }) => [restarts, reason]),
    [
      [1, 'was ended by SIGKILL'],
      [1, 'follows a, which was started again'],
      [1, 'follows a, which was started again'],
      [0, null],
    ],
  );
  assert.equal(pidOf(tree, 'other'), other);
});

test('in the middle of a chain only those behind it are started again', async () => {
  using folder = temporaryFolder();
  await using tree = startTree(
    [child(folder.path, 'a'), child(folder.path, 'b', 'a'), child(folder.path, 'c', 'b')],
    { budget },
  );
  await tree.untilReady(['a', 'b', 'c'], soon());
  const a = pidOf(tree, 'a');
  await crash(tree, 'b');
  await tree.untilReady(['a', 'b', 'c'], soon());
  assert.equal(pidOf(tree, 'a'), a);
  assert.deepEqual(
    tree.statuses().map(({ restarts }) => restarts),
    [0, 1, 1],
  );
});

test('what a child follows takes nothing from its own budget, its own crashes do', async () => {
  using folder = temporaryFolder();
  await using tree = startTree([child(folder.path, 'a'), child(folder.path, 'b', 'a')], {
    budget: { ...budget, intensity: 2 },
  });
  await tree.untilReady(['a', 'b'], soon());
  for (const id of ['a', 'a', 'b', 'b']) {
    await crash(tree, id);
    await tree.untilReady(['a', 'b'], soon());
  }
  const failed = untilState(tree, 'b', 'failed');
  kill(tree, 'b');
  await failed;
  assert.equal(tree.statuses()[1]?.restarts, 4);
});

test('a child that has ended for good is not revived, a temporary one ends', async () => {
  using folder = temporaryFolder();
  await using tree = startTree(
    [
      child(folder.path, 'a'),
      { ...childSpec(folder.path, 'done', commandOf('exits.sh', '0')), ...behind, restart: 'transient' },
      { ...child(folder.path, 'workload', 'a'), restart: 'temporary', significant: true },
    ],
    { budget },
  );
  await Promise.all([tree.untilReady(['a', 'workload'], soon()), untilState(tree, 'done', 'exited')]);
  await crash(tree, 'a');
  const exit = { code: null, signal: 'SIGTERM' };
  assert.deepEqual(await tree.ended, { outcome: 'exited', id: 'workload', exit });
  await tree.untilReady(['a'], soon());
  assert.deepEqual(statesOf(tree), ['ready', 'exited', 'exited']);
});

test('when all crash at once, each is started again once', async () => {
  using folder = temporaryFolder();
  const spawned: string[] = [];
  const onEvent = ({ id, event }: TreeEvent): unknown => event === 'spawned' && spawned.push(id);
  await using tree = startTree(
    [child(folder.path, 'a'), child(folder.path, 'b', 'a'), child(folder.path, 'c', 'b')],
    // Long enough that no follower is back before the last of the three ends was seen.
    { budget: { ...budget, intensity: 1, backoff: { baseMs: 1000, capMs: 1000 } }, onEvent },
  );
  const ids = ['a', 'b', 'c'];
  await tree.untilReady(ids, soon());
  const crashed = untilState(tree, 'a', 'restarting');
  for (const id of ids.toReversed()) kill(tree, id);
  await crashed;
  await tree.untilReady(ids, soon());
  assert.deepEqual(spawned, ['a', 'b', 'c', 'a', 'b', 'c']);
});

test('a follower that is still starting is stopped too; one that was not spawned yet is launched anew', async () => {
  using folder = temporaryFolder();
  const launches: string[] = [];
  const first = Promise.withResolvers<void>();
  const command = commandOf('sleeps.sh');
  await using tree = startTree(
    [
      child(folder.path, 'a'),
      child(folder.path, 'starting', 'a', {
        readiness: readyWhen(() => tree.statuses()[0]?.restarts === 1),
      }),
      child(folder.path, 'launching', 'a', {
        launch: (signal) => {
          launches.push(`${tree.statuses()[0]?.restarts} restarts`);
          if (launches.length > 1) return Promise.resolve({ command, env: {}, cwd: folder.path });
          signal.addEventListener('abort', () => launches.push('cancelled'));
          first.resolve();
          return new Promise(() => undefined);
        },
      }),
    ],
    { budget },
  );
  await Promise.all([untilState(tree, 'starting', 'starting'), first.promise]);
  await tree.untilReady(['a'], soon());
  await crash(tree, 'a');
  await tree.untilReady(['a', 'starting', 'launching'], soon());
  assert.deepEqual(launches, ['0 restarts', 'cancelled', '1 restarts']);
  assert.deepEqual(
    tree.statuses().map(({ restarts }) => restarts),
    [1, 1, 0],
  );
});

test('a follower waits while its leader fails to start, and fails with it', async () => {
  using folder = temporaryFolder();
  let starts = 0;
  const launch = (): Promise<Launch> => {
    starts += 1;
    const command = starts === 3 ? commandOf('sleeps.sh') : commandOf('exits.sh', '1');
    return Promise.resolve({ command, env: {}, cwd: folder.path });
  };
  await using tree = startTree(
    [child(folder.path, 'a', undefined, { launch }), child(folder.path, 'b', 'a')],
    {
      budget,
    },
  );
  await tree.untilReady(['b'], soon());
  assert.deepEqual([starts, tree.statuses()[1]?.restarts], [3, 0]);
  const failed = untilState(tree, 'b', 'failed');
  kill(tree, 'a');
  await failed;
  const [a, b] = tree.statuses().map(({ current }) => current);
  assert.ok(a?.state === 'failed' && b?.state === 'failed' && a.error === b.error);
});

test('disposal while a follower waits for its leader to be started again cancels both', async () => {
  using folder = temporaryFolder();
  const tree = startTree([child(folder.path, 'a'), child(folder.path, 'b', 'a')], { budget: slow });
  await tree.untilReady(['b'], soon());
  const waiting = untilState(tree, 'b', 'restarting');
  await crash(tree, 'a');
  await waiting;
  await tree[Symbol.asyncDispose]();
  assert.deepEqual(statesOf(tree), ['exited', 'exited']);
});

test('disposal while followers are being stopped keeps the order and starts nothing', async () => {
  using folder = temporaryFolder();
  const spawned: string[] = [];
  const onEvent = ({ id, event }: TreeEvent): unknown => event === 'spawned' && spawned.push(id);
  const deaf = childSpec(folder.path, 'c', commandOf('ignores-term.sh'), {
    after: ['b'],
    follows: ['b'],
    shutdown: { signal: 'SIGTERM', graceMs: 100 },
  });
  const tree = startTree([child(folder.path, 'a'), child(folder.path, 'b', 'a'), deaf], { budget, onEvent });
  await tree.untilReady(['a', 'b', 'c'], soon());
  const [b, c] = [pidOf(tree, 'b'), pidOf(tree, 'c')];
  const stopping = untilState(tree, 'c', 'stopping');
  kill(tree, 'a');
  await stopping;
  let hasC = false;
  void untilState(tree, 'b', 'stopping').then(() => (hasC = !isGone(c)));
  await tree[Symbol.asyncDispose]();
  assert.ok(!hasC && isGone(b) && isGone(c));
  assert.deepEqual(statesOf(tree), ['exited', 'exited', 'exited']);
  assert.deepEqual(spawned, ['a', 'b', 'c']);
});

test('once the end is near, followers of a child that waits for its restart end, and nobody is told', async () => {
  using folder = temporaryFolder();
  await using tree = startTree(
    [child(folder.path, 'a', undefined, { significant: true }), child(folder.path, 'b', 'a')],
    { budget: slow },
  );
  await tree.untilReady(['a', 'b'], soon());
  const waiting = untilState(tree, 'b', 'restarting');
  await crash(tree, 'a');
  await waiting;
  const over = Promise.all([untilState(tree, 'a', 'exited'), untilState(tree, 'b', 'exited')]);
  tree.letEnd();
  await over;
  const next = new Promise((resolve) => setImmediate(() => resolve('goes on')));
  assert.equal(await Promise.race([tree.ended, next]), 'goes on');
});

test('once the end is near, a child goes on without the one that it follows', async () => {
  using folder = temporaryFolder();
  await using tree = startTree([child(folder.path, 'a'), child(folder.path, 'b', 'a')], { budget });
  await tree.untilReady(['a', 'b'], soon());
  tree.letEnd();
  const ended = untilState(tree, 'a', 'exited');
  kill(tree, 'a');
  await ended;
  assert.equal(stateOf(tree, 'b').state, 'ready');
});

test('who follows is known over all steps, and only those that are waited for can be followed', () => {
  const diamond = makeFollowing([
    { id: 'a' },
    { id: 'b', follows: ['a'] },
    { id: 'c', follows: ['a'] },
    { id: 'd', follows: ['b', 'c'] },
    { id: 'e' },
  ]);
  assert.deepEqual(
    ['a', 'b', 'c', 'd', 'e'].map((id) => [diamond.ahead(id).join(''), diamond.behind(id).join('')]),
    [
      ['', 'bcd'],
      ['a', 'd'],
      ['a', 'd'],
      ['abc', ''],
      ['', ''],
    ],
  );
  const loose = child('/nowhere', 'b', 'a', { after: [] });
  assert.throws(
    () => startTree([child('/nowhere', 'a'), loose], { budget }),
    (error) => codeOf(error) === 'bug',
  );
});
