import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { makeFollowing } from '../../src/supervise/follow.ts';
import { hasProcess } from '../../src/supervise/state.ts';
import { startTree } from '../../src/supervise/tree.ts';
import { watchLeaks } from '../leaks.ts';
import { childSpec, commandOf, isGone, soon, stateOf, temporaryFolder } from './children.ts';

const leaks = watchLeaks();
after(() => leaks.assertNone());

/** Two diamonds, and one that follows nobody. */
const follows: Readonly<Record<string, readonly string[]>> = {
  a: [],
  b: ['a'],
  c: ['a'],
  d: ['b', 'c'],
  e: ['d', 'a'],
  f: [],
};
const ids = Object.keys(follows);

/** One that crashed a moment ago is not known as such yet. */
function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    assert.ok(isGone(pid));
  }
}

/** Numerical Recipes' generator: the same storm in every run. */
function makeRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

for (const seed of [1, 2, 3])
  test(`in a storm of crashes nobody starts before its leaders or under its followers (${seed})`, async () => {
    using folder = temporaryFolder();
    const random = makeRandom(seed);
    const following = makeFollowing(ids.map((id) => ({ id, follows: follows[id] ?? [] })));
    const wrong: string[] = [];
    const pids = new Set<number>();
    {
      await using tree = startTree(
        ids.map((id) =>
          childSpec(folder.path, id, commandOf('sleeps.sh'), {
            after: follows[id] ?? [],
            follows: follows[id] ?? [],
          }),
        ),
        { budget: { intensity: 1000, periodMs: 60_000, backoff: { baseMs: 1, capMs: 20 } } },
      );
      // A leader in `stopping` has just crashed; what starts in that moment will be stopped for it.
      tree.onChange(({ id, current }) => {
        if (current.state !== 'starting') return;
        pids.add(current.pid);
        for (const other of following.ahead(id))
          if (!['ready', 'stopping'].includes(stateOf(tree, other).state))
            wrong.push(`${id} before ${other}`);
        for (const other of following.behind(id))
          if (hasProcess(stateOf(tree, other))) wrong.push(`${id} under ${other}`);
      });
      await tree.untilReady(ids, soon());
      for (let crash = 0; crash < 40; crash += 1) {
        const current = stateOf(tree, ids[random(ids.length)] ?? '');
        if (current.state === 'starting' || current.state === 'ready') kill(current.pid);
        await new Promise((resolve) => setTimeout(resolve, random(15)));
      }
      await tree.untilReady(ids, soon());
    }
    assert.deepEqual(wrong, []);
    assert.ok(pids.size > 2 * ids.length && [...pids].every(isGone));
  });
