import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';

const handles = (): string[] =>
  process.getActiveResourcesInfo().filter((kind) => /Process|Timeout|Socket|Server|Watcher|Pipe/.test(kind));

/** Zombies count: nobody waited for them. Worker threads spawn too, so all threads are asked. */
const children = (): string[] =>
  readdirSync('/proc/self/task').flatMap((thread) =>
    readFileSync(`/proc/self/task/${thread}/children`, 'latin1').split(' ').filter(Boolean),
  );

/**
 * Fails when this process has child processes or open handles that it had not when this was called.
 * Gives the loop a few turns first: a closed handle is counted until its close event has run.
 *
 *     const leaks = watchLeaks(); after(() => leaks.assertNone());
 */
export function watchLeaks(): { assertNone(): Promise<void> } {
  const before = { children: children(), handles: handles() };
  return {
    assertNone: async () => {
      for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      // One that was killed a moment ago is a zombie until the loop hears of it; one that is left stays.
      const mine = (): string[] => children().filter((pid) => !before.children.includes(pid));
      for (let look = 0; look < 100 && mine().length > 0; look += 1)
        await new Promise((resolve) => setTimeout(resolve, 20));
      assert.deepEqual(mine(), [], 'child processes are left');
      const known = [...before.handles];
      const left = handles().filter((kind) => {
        const at = known.indexOf(kind);
        if (at >= 0) known.splice(at, 1);
        return at < 0;
      });
      assert.deepEqual(left, [], 'open handles are left');
    },
  };
}
