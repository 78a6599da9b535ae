import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, test } from 'node:test';
import { stopGroup } from '../../src/supervise/group.ts';
import { startTree, type TreeEvent } from '../../src/supervise/tree.ts';
import { watchLeaks } from '../leaks.ts';
import { budget, childSpec, commandOf, isGone, pidOf, soon, temporaryFolder } from './children.ts';

const leaks = watchLeaks();
after(() => leaks.assertNone());

/** Starts a fixture, waits until it says `up`, stops it with this grace. Gives how its group ended. */
async function stopOne(
  fixture: string,
  graceMs: number,
  signal: NodeJS.Signals = 'SIGTERM',
): Promise<unknown> {
  using folder = temporaryFolder();
  const events: TreeEvent[] = [];
  const tree = startTree(
    [childSpec(folder.path, 'child', commandOf(fixture), { shutdown: { signal, graceMs } })],
    {
      budget,
      onEvent: (event) => events.push(event),
    },
  );
  try {
    await tree.untilReady(['child'], soon());
    const pid = pidOf(tree, 'child');
    await tree[Symbol.asyncDispose]();
    assert.ok(isGone(pid), 'processes of the group are left');
  } finally {
    await tree[Symbol.asyncDispose]();
  }
  assert.equal(tree.statuses()[0]?.current.state, 'exited');
  assert.equal(tree.statuses()[0]?.restarts, 0);
  return events.find(({ event }) => event === 'group')?.['outcome'];
}

test('a healthy child ends by TERM', async () => {
  assert.equal(await stopOne('sleeps.sh', 10_000), 'stopped');
});

test('a child that ignores TERM is killed after the grace', async () => {
  assert.equal(await stopOne('ignores-term.sh', 100), 'killed');
});

test('a grandchild that ignores TERM is killed although the leader died of it at once', async () => {
  assert.equal(await stopOne('leaves-a-grandchild-that-ignores-term.sh', 100), 'killed');
});

test('an orphan of a double fork is stopped with its group', async () => {
  assert.equal(await stopOne('orphans-a-child.sh', 10_000), 'stopped');
});

test('a program that made a group of its own is found in the session', async () => {
  assert.equal(await stopOne('leaves-its-group.sh', 200), 'killed');
});

test('a stopped process is continued so that it can end', async () => {
  assert.equal(await stopOne('stops-itself.sh', 10_000), 'stopped');
});

test('a group that forks while it is being killed is emptied', async () => {
  assert.equal(await stopOne('forks-without-end.sh', 100), 'killed');
});

test('a stranger that got the number of a dead leader is left alone', async () => {
  const stranger = spawn('sleep', ['60'], { stdio: 'ignore', detached: true });
  try {
    const pgid = stranger.pid ?? assert.fail();
    const stop = await stopGroup({ pgid, leaderStart: 1 }, { signal: 'SIGKILL', graceMs: 0 });
    assert.deepEqual(stop, { outcome: 'already-empty' });
    assert.ok(!isGone(pgid));
  } finally {
    stranger.kill('SIGKILL');
    await once(stranger, 'exit');
  }
});
