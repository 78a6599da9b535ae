import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startTree } from '../../src/supervise/tree.ts';
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

test('disposal during backoff cancels the restart', async () => {
  using folder = temporaryFolder();
  const slow = { ...budget, backoff: { baseMs: 600_000, capMs: 600_000 } };
  const tree = startTree([childSpec(folder.path, 'child', commandOf('exits.sh', '1'))], { budget: slow });
  await untilState(tree, 'child', 'restarting');
  await tree[Symbol.asyncDispose]();
  assert.equal(stateOf(tree, 'child').state, 'exited');
});

test('disposal during start cancels launches, probes and the wait for others', async () => {
  using folder = temporaryFolder();
  const tree = startTree(
    [
      childSpec(folder.path, 'probing', commandOf('sleeps.sh'), {
        readiness: readyWhen(() => false, 600_000),
      }),
      childSpec(folder.path, 'launching', commandOf('sleeps.sh'), {
        launch: () => new Promise(() => undefined),
      }),
      childSpec(folder.path, 'waiting', commandOf('sleeps.sh'), { after: ['probing'] }),
    ],
    { budget },
  );
  await untilState(tree, 'probing', 'starting');
  const starting = stateOf(tree, 'probing');
  await Promise.all([tree[Symbol.asyncDispose](), tree[Symbol.asyncDispose]()]);
  assert.ok(starting.state === 'starting' && isGone(starting.pid));
  assert.deepEqual(
    tree.statuses().map(({ current }) => current.state),
    ['exited', 'exited', 'exited'],
  );
  await assert.rejects(tree.untilReady(['probing'], soon()));
});

test('disposal at once starts nothing', async () => {
  using folder = temporaryFolder();
  const events: string[] = [];
  await using tree = startTree([childSpec(folder.path, 'child', commandOf('sleeps.sh'))], {
    budget,
    onEvent: ({ event }) => events.push(event),
  });
  await tree[Symbol.asyncDispose]();
  assert.deepEqual(events, ['exited']);
});

test('a child that exits while the tree stops has not crashed', async () => {
  using folder = temporaryFolder();
  const tree = startTree(
    [
      childSpec(folder.path, 'leader', commandOf('sleeps.sh'), { significant: true }),
      childSpec(folder.path, 'slow', commandOf('ignores-term.sh'), {
        shutdown: { signal: 'SIGTERM', graceMs: 100 },
      }),
    ],
    { budget },
  );
  await tree.untilReady(['leader', 'slow'], soon());
  const stopping = untilState(tree, 'slow', 'stopping');
  const disposal = tree[Symbol.asyncDispose]();
  await stopping;
  process.kill(pidOf(tree, 'leader'), 'SIGKILL');
  await disposal;
  assert.deepEqual(stateOf(tree, 'leader'), { state: 'exited', exit: { code: null, signal: 'SIGKILL' } });
  assert.equal(tree.statuses()[0]?.restarts, 0);
});

test('disposal while the group of a crashed child is emptied: it is stopped, not restarted', async () => {
  using folder = temporaryFolder();
  const tree = startTree([childSpec(folder.path, 'child', commandOf('crashes-and-leaves-a-child.sh'))], {
    budget,
  });
  await untilState(tree, 'child', 'stopping');
  await tree[Symbol.asyncDispose]();
  assert.deepEqual(stateOf(tree, 'child'), { state: 'exited', exit: { code: 1, signal: null } });
  assert.equal(tree.statuses()[0]?.restarts, 0);
});
