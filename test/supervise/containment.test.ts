import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { environmentOf, isAlive, readStat, runningPids } from '../../src/machine/processes.ts';
import { probeContainment } from '../../src/supervise/containment.ts';
import type { ChildSpec } from '../../src/supervise/spec.ts';
import { startTree, type TreeEvent } from '../../src/supervise/tree.ts';
import { watchLeaks } from '../leaks.ts';
import { until } from '../until.ts';
import { budget, childSpec, commandOf, pidOf, soon, temporaryFolder, untilState } from './children.ts';

const leaks = watchLeaks();
after(() => leaks.assertNone());

const path = '/usr/bin:/bin';
const here = await probeContainment({ wanted: 'auto', path });
const noNamespaces = here.mode === 'guard' ? `no namespaces here: ${here.reason}` : false;
const noNetworks = here.network === 'shared' ? `no network namespaces here: ${here.reason}` : false;

const mark = 'CONTAINMENT_TEST';
const isMarked = (value: string) => (pid: number) => environmentOf(pid).includes(`${mark}=${value}`);
const isRunning = (pid: number): boolean => {
  const stat = readStat(pid);
  return stat !== undefined && isAlive(stat);
};
const alive = (pids: readonly number[]): number[] => pids.filter(isRunning);

const contained = (
  folder: string,
  command: [string, ...string[]],
  changes: Partial<ChildSpec> = {},
): ChildSpec => childSpec(folder, 'child', command, { isolation: 'processes', ...changes });

/** A process has had its pending signals when it has been stopped and continued. */
async function untilAnswered(pids: readonly number[]): Promise<void> {
  for (const pid of pids) process.kill(pid, 'SIGCONT');
  await until(() => pids.every((pid) => pendingOf(pid) === 0n), 'a signal is pending');
}

const pendingOf = (pid: number): bigint => {
  const line = /^ShdPnd:\s*(\w+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '0';
  return BigInt(`0x${line}`);
};

/** A folder with a program of this name, which the probe finds before the system's. */
const shadow = (folder: string, name: string, script: string): string => {
  writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return `${folder}:${path}`;
};

test(
  'a stop leaves nobody: not what hides in a session of its own without its environment',
  { skip: noNamespaces },
  async () => {
    using folder = temporaryFolder();
    const seconds = `60.${process.pid}`;
    const spec = contained(folder.path, commandOf('sheds-its-mark.sh', seconds), {
      readiness: { periodMs: 10, timeoutMs: 10_000, probe: async () => ({ outcome: 'ready' }) },
    });
    const hidden = (): number[] =>
      runningPids().filter((pid) => isRunning(pid) && commandLineOf(pid).includes(seconds));
    await using tree = startTree([spec], { budget, containment: here });
    await tree.untilReady(['child'], soon());
    await until(() => hidden().some((pid) => readStat(pid)?.session === pid), 'nobody hides');
    await tree[Symbol.asyncDispose]();
    assert.deepEqual(hidden(), []);
  },
);

test('the wall-time warning to every process ends nobody', { skip: noNamespaces }, async () => {
  using folder = temporaryFolder();
  const value = `warned.${process.pid}`;
  const spec = contained(folder.path, ['/bin/sh', '-c', 'echo up; sleep 60']);
  const launch = async (signal: AbortSignal) => {
    const made = await spec.launch(signal);
    return { ...made, env: { ...made.env, [mark]: value } };
  };
  await using tree = startTree([{ ...spec, launch }], { budget, containment: here });
  await tree.untilReady(['child'], soon());
  const all = runningPids().filter(isMarked(value));
  assert.ok(all.length >= 3, `${all.length}`);
  for (const pid of all) process.kill(pid, 'SIGUSR2');
  await untilAnswered(all);
  assert.deepEqual(alive(all), all);
});

test('the program hears of the stop itself and has its grace', { skip: noNamespaces }, async () => {
  using folder = temporaryFolder();
  const spec = contained(folder.path, commandOf('says-goodbye.sh'));
  await using tree = startTree([spec], { budget, containment: here });
  await tree.untilReady(['child'], soon());
  await tree[Symbol.asyncDispose]();
  assert.match(readFileSync(join(folder.path, 'child.log'), 'utf8'), /^bye$/m);
  assert.deepEqual(tree.statuses()[0]?.current, { state: 'exited', exit: { code: 0, signal: null } });
});

test(
  'not even where the keeper of the namespace obeys TERM, as older versions do',
  { skip: noNamespaces },
  async () => {
    using folder = temporaryFolder();
    const old = `trap 'kill -KILL $child; exit 143' TERM; /usr/bin/unshare "$@" <&0 & child=$!; wait $child`;
    const containment = await probeContainment({ wanted: 'auto', path: shadow(folder.path, 'unshare', old) });
    assert.equal(containment.mode, 'pidns');
    const spec = contained(folder.path, commandOf('says-goodbye.sh'));
    await using tree = startTree([spec], { budget, containment });
    await tree.untilReady(['child'], soon());
    await tree[Symbol.asyncDispose]();
    assert.match(readFileSync(join(folder.path, 'child.log'), 'utf8'), /^bye$/m);
  },
);

test(
  'a keeper that is stopped is woken, or a stop would take its whole grace',
  { skip: noNamespaces },
  async () => {
    using folder = temporaryFolder();
    const events: TreeEvent[] = [];
    await using tree = startTree([contained(folder.path, commandOf('sleeps.sh'))], {
      budget,
      containment: here,
      onEvent: (event) => events.push(event),
    });
    await tree.untilReady(['child'], soon());
    process.kill(pidOf(tree, 'child'), 'SIGSTOP');
    await tree[Symbol.asyncDispose]();
    assert.equal(events.find(({ event }) => event === 'group')?.['outcome'], 'stopped');
  },
);

for (const [how, victim] of [
  ['its keeper', (pid: number): number => pid],
  ['the first process of the namespace', (pid: number): number => childrenOf(pid)[0] ?? 0],
  ['the program', (pid: number): number => childrenOf(childrenOf(pid)[0] ?? 0)[0] ?? 0],
] as const)
  test(
    `kill -9 of ${how} ends all that was inside, and the child is started again`,
    { skip: noNamespaces },
    async () => {
      using folder = temporaryFolder();
      const value = `${process.pid}-${how}`;
      const command = commandOf('leaves-all-kinds.sh');
      const spec = contained(folder.path, command, {
        launch: async () => ({ command, env: { PATH: path, [mark]: value }, cwd: folder.path }),
        readiness: { periodMs: 10, timeoutMs: 10_000, probe: async () => ({ outcome: 'ready' }) },
      });
      await using tree = startTree([spec], { budget, containment: here });
      await tree.untilReady(['child'], soon());
      const pid = pidOf(tree, 'child');
      await until(() => alive(runningPids().filter(isMarked(value))).length >= 9, 'it is not up');
      const before = alive(runningPids().filter(isMarked(value)));
      process.kill(victim(pid), 'SIGKILL');
      await untilState(tree, 'child', 'restarting');
      await until(() => alive(before).length === 0, 'something survives');
      await tree.untilReady(['child'], soon());
    },
  );

test('exit codes pass through, and a signal is told as 128 + n', { skip: noNamespaces }, async () => {
  using folder = temporaryFolder();
  for (const [command, exit, reason] of [
    [commandOf('exits.sh', '0'), { code: 0, signal: null }, null],
    [commandOf('exits.sh', '78'), { code: 78, signal: null }, null],
    [commandOf('dies-by-a-signal.sh', 'KILL'), { code: 137, signal: null }, null],
  ] as const) {
    const spec = contained(folder.path, command, {
      restart: 'temporary',
      significant: true,
    });
    await using tree = startTree([spec], { budget, containment: here });
    assert.deepEqual(await tree.ended, { outcome: 'exited', id: 'child', exit });
    assert.equal(tree.statuses()[0]?.reason, reason);
  }
});

test('orphans that end are waited for', { skip: noNamespaces }, async () => {
  using folder = temporaryFolder();
  await using tree = startTree([contained(folder.path, commandOf('orphans-the-dead.sh'))], {
    budget,
    containment: here,
  });
  await tree.untilReady(['child'], soon());
});

test(
  'inside there is the same user without any privilege, few processes, and nobody else’s sockets',
  { skip: noNetworks },
  async () => {
    using folder = temporaryFolder();
    const server = createServer().listen(0, '127.0.0.1');
    await using tree = startTree(
      [contained(folder.path, commandOf('tells-where-it-is.sh'), { isolation: 'network' })],
      {
        budget,
        containment: here,
      },
    );
    await tree.untilReady(['child'], soon());
    const told = tree.running('child')?.logTail(9) ?? [];
    server.close();
    assert.equal(told[0], `uid ${process.getuid?.()}`);
    // Root is root in a namespace of its own; anybody else has nothing.
    if (process.getuid?.() !== 0) assert.equal(told[1], 'capabilities 0x');
    assert.match(told[2] ?? '', /^processes [2-5]$/);
    assert.equal(told[3], 'sockets 0');
  },
);

test(
  'an unshare of RHEL 8, which does not know the newer options, will do',
  { skip: noNamespaces },
  async () => {
    using folder = temporaryFolder();
    const old =
      'case "$*" in *--map-current-user*) echo "unrecognized option" >&2; exit 1;; esac; exec /usr/bin/unshare "$@"';
    const containment = await probeContainment({ wanted: 'auto', path: shadow(folder.path, 'unshare', old) });
    assert.deepEqual([containment.mode, containment.network], [here.mode, here.network]);
    const { command } = await containment.wrap({ isolation: 'network', deathSignal: 'SIGTERM' }, ['true']);
    assert.ok(command.includes('--map-root-user'));
  },
);

test('where the site forbids them there is the guard, and the reason is told', async () => {
  using folder = temporaryFolder();
  const forbidden = shadow(
    folder.path,
    'unshare',
    'echo "unshare failed: Operation not permitted" >&2; exit 1',
  );
  const containment = await probeContainment({ wanted: 'pidns', path: forbidden });
  assert.equal(containment.mode, 'guard');
  assert.match(containment.reason ?? '', /^unshare failed: Operation not permitted/);
});

test('where the trial sees something else inside there is the guard', { skip: noNamespaces }, async () => {
  const other = await probeContainment({ wanted: 'auto', path, trial: ['sh', '-c', 'echo $$'] });
  assert.equal(other.mode, 'guard');
  assert.match(other.reason ?? '', /says something else inside a namespace/);
  const same = await probeContainment({ wanted: 'auto', path, trial: ['sh', '-c', 'echo GPU 0'] });
  assert.equal(same.mode, 'pidns');
});

test('guard, when it is asked for', async () => {
  const containment = await probeContainment({ wanted: 'guard', path });
  assert.deepEqual([containment.mode, containment.network], ['guard', 'shared']);
});

const readProc = (file: string): string => {
  try {
    return readFileSync(`/proc/${file}`, 'latin1');
  } catch {
    return ''; // it went while we looked
  }
};
const commandLineOf = (pid: number): string => readProc(`${pid}/cmdline`);
const childrenOf = (pid: number): number[] =>
  readProc(`${pid}/task/${pid}/children`).split(' ').filter(Boolean).map(Number);
