import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { wordsOf } from '../../src/machine/family.ts';
import { effortOf, killRunners, runnersOf } from '../../src/services/runners.ts';
import { until } from '../until.ts';

/** A shell that is called `... serve`, as the server is, with one runner behind it. */
const server = ['sh', '-c', 'sleep 61 & echo up; wait; echo over; read _', 'ollama', 'serve'] as const;

async function started(command: readonly string[]): Promise<ChildProcess> {
  const [file = '', ...words] = command;
  const child = spawn(file, words, { detached: true, stdio: ['pipe', 'pipe', 'ignore'] });
  await once(child.stdout ?? assert.fail(), 'data');
  return child;
}

async function end(child: ChildProcess): Promise<void> {
  const exit = once(child, 'exit');
  process.kill(-(child.pid ?? assert.fail()), 'SIGKILL');
  await exit;
}

const unshare = [
  'unshare',
  '--user',
  '--map-current-user',
  '--pid',
  '--fork',
  '--kill-child',
  '--mount-proc',
];
const hasNamespaces = spawnSync(unshare[0] ?? '', [...unshare.slice(1), 'true']).status === 0;

for (const [where, command, skip] of [
  ['of the child itself', server, false],
  ['of a server behind other programs', ['sh', '-c', '"$@"; :', 'holder', ...server], false],
  ['of a server in a pid namespace', [...unshare, ...server], !hasNamespaces],
] as const)
  test(`the runners ${where} are found, and killed without the server`, { skip }, async () => {
    const child = await started(command);
    const pid = child.pid ?? assert.fail();
    try {
      await until(() => runnersOf(pid).length === 1, 'the runner');
      const [runner] = runnersOf(pid);
      assert.deepEqual(wordsOf(runner?.pid ?? 0), ['sleep', '61']);
      assert.equal(effortOf(runnersOf(pid)).cpuMs, runner?.cpuMs);
      const over = once(child.stdout ?? assert.fail(), 'data');
      assert.deepEqual(killRunners(pid), [runner?.pid]);
      assert.equal(String(await over), 'over\n');
      assert.deepEqual([runnersOf(pid), killRunners(pid), child.exitCode], [[], [], null]);
    } finally {
      await end(child);
    }
  });

test('a program that is no server has no runners', async () => {
  const child = await started(['sh', '-c', 'sleep 62 & echo up; wait']);
  try {
    assert.deepEqual(runnersOf(child.pid ?? 0), []);
  } finally {
    await end(child);
  }
});
