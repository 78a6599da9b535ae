import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { whileAlive } from '../../src/supervise/alive.ts';
import type { Liveness, LivenessResult, Running } from '../../src/supervise/spec.ts';
import { startTree } from '../../src/supervise/tree.ts';
import { watchLeaks } from '../leaks.ts';
import {
  budget,
  childSpec,
  commandOf,
  isGone,
  pidOf,
  soon,
  stateOf,
  temporaryFolder,
  untilState,
} from './children.ts';

const leaks = watchLeaks();
after(() => leaks.assertNone());

const bounds = { periodMs: 10, timeoutMs: 100, failureThreshold: 2 };
const alive: LivenessResult = { outcome: 'alive' };
const silent = new Promise<never>(() => undefined);

/** Alive is a child that says a message back. */
const echoes = ({ channel }: Running): Promise<LivenessResult> =>
  new Promise((resolve) => {
    const remove = channel?.onMessage(() => {
      remove?.();
      resolve(alive);
    });
    channel?.send({ say: 'this' });
  });

const liveness = (changes: Partial<Liveness> = {}): Liveness => ({ ...bounds, probe: echoes, ...changes });

test('a child that stops answering is stopped and started again, with the reason', async () => {
  using folder = temporaryFolder();
  const command = commandOf('answers-so-often.mjs', '3');
  await using tree = startTree(
    [childSpec(folder.path, 'child', command, { channel: 'ipc', liveness: liveness() })],
    { budget },
  );
  await tree.untilReady(['child'], soon());
  const pid = pidOf(tree, 'child');
  await untilState(tree, 'child', 'restarting');
  assert.ok(isGone(pid), 'the hung start is alive');
  const { restarts, reason } = tree.statuses()[0] ?? assert.fail();
  assert.equal(restarts, 1);
  assert.match(reason ?? '', /^did not answer for 0\.\d s: no answer within 0\.1 s$/);
  await tree.untilReady(['child'], soon());
  assert.notEqual(pidOf(tree, 'child'), pid);
});

test('a child that answers late but within the bound lives, and is never asked twice at once', async () => {
  using folder = temporaryFolder();
  const command = commandOf('answers-so-often.mjs', '1000', '30');
  const asked = { now: 0, atMost: 0, times: 0 };
  const enough = Promise.withResolvers<void>();
  const probe = async (running: Running): Promise<LivenessResult> => {
    asked.atMost = Math.max(asked.atMost, (asked.now += 1));
    const result = await echoes(running);
    asked.now -= 1;
    if ((asked.times += 1) === 5) enough.resolve();
    return result;
  };
  await using tree = startTree(
    [
      childSpec(folder.path, 'child', command, {
        channel: 'ipc',
        liveness: liveness({ timeoutMs: 10_000, probe }),
      }),
    ],
    { budget },
  );
  await tree.untilReady(['child'], soon());
  const pid = pidOf(tree, 'child');
  await enough.promise;
  assert.deepEqual([pidOf(tree, 'child'), tree.statuses()[0]?.restarts, asked.atMost], [pid, 0, 1]);
});

test('a stopped child is continued, ended and started again', async () => {
  using folder = temporaryFolder();
  const command = commandOf('echoes-messages.mjs');
  await using tree = startTree(
    [childSpec(folder.path, 'child', command, { channel: 'ipc', liveness: liveness() })],
    { budget },
  );
  await tree.untilReady(['child'], soon());
  const pid = pidOf(tree, 'child');
  process.kill(pid, 'SIGSTOP');
  await untilState(tree, 'child', 'restarting');
  assert.ok(isGone(pid));
  await tree.untilReady(['child'], soon());
});

test('a child that hangs after every start spends the budget and fails with the reason', async () => {
  using folder = temporaryFolder();
  const spec = childSpec(folder.path, 'child', commandOf('answers-so-often.mjs', '0'), {
    channel: 'ipc',
    liveness: liveness(),
    significant: true,
  });
  await using tree = startTree([spec], { budget });
  const end = await tree.ended;
  assert.match(end.outcome === 'failed' ? end.error.message : '', /did not answer for .* after 3 restarts/);
});

test('the tree stops at once although a probe of a stopped child is under way', async () => {
  using folder = temporaryFolder();
  const asked = Promise.withResolvers<AbortSignal>();
  const probe = (_: Running, signal: AbortSignal): Promise<never> => {
    asked.resolve(signal);
    return silent;
  };
  await using tree = startTree(
    [
      childSpec(folder.path, 'child', commandOf('sleeps.sh'), {
        liveness: liveness({ timeoutMs: 600_000, probe }),
      }),
    ],
    { budget },
  );
  await tree.untilReady(['child'], soon());
  const pid = pidOf(tree, 'child');
  process.kill(pid, 'SIGSTOP');
  const signal = await asked.promise;
  await tree[Symbol.asyncDispose]();
  assert.ok(isGone(pid) && signal.aborted);
  assert.deepEqual([stateOf(tree, 'child').state, tree.statuses()[0]?.restarts], ['exited', 0]);
});

test('a hung child that ignores TERM is killed, and a tree that closes meanwhile starts it no more', async () => {
  using folder = temporaryFolder();
  const spec = childSpec(folder.path, 'child', commandOf('ignores-term.sh'), {
    liveness: liveness({ probe: () => silent }),
    shutdown: { signal: 'SIGTERM', graceMs: 200 },
  });
  await using tree = startTree([spec], { budget });
  await tree.untilReady(['child'], soon());
  const pid = pidOf(tree, 'child');
  await untilState(tree, 'child', 'stopping');
  await tree[Symbol.asyncDispose]();
  assert.ok(isGone(pid));
  assert.deepEqual([stateOf(tree, 'child').state, tree.statuses()[0]?.restarts], ['exited', 0]);
});

test('only misses in a row count, and a probe that throws is one', async () => {
  const answers = ['no', 'yes', 'no', 'yes', 'no', 'no', 'yes'];
  const probe = async (): Promise<LivenessResult> => {
    if (answers.shift() === 'yes') return alive;
    throw new Error('connection refused');
  };
  const running = { pid: 0, launch: { command: ['x'], env: {}, cwd: '/' }, channel: undefined } as const;
  const over = await whileAlive(
    { liveness: liveness({ periodMs: 1, probe }) },
    { ...running, logTail: () => [] },
    silent,
    () => undefined,
    soon(),
  );
  assert.equal(over.outcome, 'hung');
  assert.match(over.outcome === 'hung' ? over.reason : '', /: connection refused$/);
  assert.deepEqual(answers, ['yes']);
});

test('a watch that gives a reason has the child started again, and is told to end with it', async () => {
  using folder = temporaryFolder();
  const given = [Promise.withResolvers<string>(), Promise.withResolvers<string>()];
  const signals: AbortSignal[] = [];
  const events: string[] = [];
  const spec = childSpec(folder.path, 'child', commandOf('sleeps.sh'), {
    watches: [
      (_running, report, signal) => {
        signals.push(signal);
        report('looked-at');
        return given[signals.length - 1]?.promise ?? silent;
      },
    ],
  });
  await using tree = startTree([spec], { budget, onEvent: ({ event }) => events.push(event) });
  await tree.untilReady(['child'], soon());
  given[0]?.resolve('lost its GPU');
  await untilState(tree, 'child', 'restarting');
  assert.equal(tree.statuses()[0]?.reason, 'lost its GPU');
  assert.ok(signals[0]?.aborted);
  assert.ok(events.includes('looked-at'));
});
