import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, test } from 'node:test';
import { openFrames, untilGivenUp } from '../../src/supervise/channel.ts';
import type { Channel } from '../../src/supervise/spec.ts';
import { startTree, type TreeEvent } from '../../src/supervise/tree.ts';
import { watchLeaks } from '../leaks.ts';
import {
  budget,
  childSpec,
  commandOf,
  pidOf,
  readyWhen,
  soon,
  stateOf,
  temporaryFolder,
  untilState,
} from './children.ts';

const leaks = watchLeaks();
after(() => leaks.assertNone());

const nextMessage = (channel: Channel | undefined): Promise<unknown> =>
  new Promise((resolve, reject) => {
    if (channel === undefined) return reject(new Error('no channel'));
    const stop = channel.onMessage((message) => {
      stop();
      resolve(message);
    });
  });

test('an ipc child echoes a structured clone', async () => {
  using folder = temporaryFolder();
  await using tree = startTree(
    [childSpec(folder.path, 'store', commandOf('echoes-messages.mjs'), { channel: 'ipc' })],
    { budget },
  );
  await tree.untilReady(['store'], soon());
  const channel = tree.running('store')?.channel;
  const echo = nextMessage(channel);
  const message = { rows: [{ vector: new Float32Array([0.5, -1]), at: new Date(0) }] };
  channel?.send(message);
  assert.deepEqual(await echo, message);
});

test('an ipc channel closes with its child, and sending to the dead is no error', async () => {
  using folder = temporaryFolder();
  const spec = childSpec(folder.path, 'store', commandOf('echoes-messages.mjs'), {
    channel: 'ipc',
    restart: 'temporary',
    significant: true,
  });
  await using tree = startTree([spec], { budget });
  await tree.untilReady(['store'], soon());
  const channel = tree.running('store')?.channel ?? assert.fail();
  const closed = new Promise<void>((resolve) => channel.onClose(resolve));
  channel.send({ exit: 4 });
  channel.send({ lost: true });
  assert.deepEqual(await tree.ended, { outcome: 'exited', id: 'store', exit: { code: 4, signal: null } });
  await closed;
  channel.send({ lost: true });
  await new Promise<void>((resolve) => channel.onClose(resolve));
});

test('a frames child echoes frames; what is no frame is told as an event', async () => {
  using folder = temporaryFolder();
  const events: TreeEvent[] = [];
  await using tree = startTree(
    [childSpec(folder.path, 'sidecar', commandOf('echoes-frames.sh'), { channel: 'frames' })],
    {
      budget,
      onEvent: (event) => events.push(event),
    },
  );
  await tree.untilReady(['sidecar'], soon());
  const channel = tree.running('sidecar')?.channel;
  const echo = nextMessage(channel);
  const message = { id: 1, texts: ['line\nbreak', 'Müller', 'x'.repeat(200_000)] };
  channel?.send(message);
  assert.deepEqual(await echo, message);
  assert.match(String(events.find(({ event }) => event === 'nonsense')?.['reason']), /Loading weights/);
});

test('a watched child whose channel is given up is started again, with the reason', async () => {
  using folder = temporaryFolder();
  const spec = childSpec(folder.path, 'sidecar', commandOf('echoes-frames.sh'), { channel: 'frames' });
  await using tree = startTree([{ ...spec, watches: [untilGivenUp] }], { budget });
  await tree.untilReady(['sidecar'], soon());
  const before = pidOf(tree, 'sidecar');
  tree.running('sidecar')?.channel?.giveUp('said nothing for a minute');
  await untilState(tree, 'sidecar', 'restarting');
  await tree.untilReady(['sidecar'], soon());
  assert.notEqual(pidOf(tree, 'sidecar'), before);
  assert.equal(tree.statuses()[0]?.reason, 'said nothing for a minute');
});

test('writing to a child that reads no more, or is dead, is no error', async () => {
  using folder = temporaryFolder();
  const spec = childSpec(folder.path, 'sidecar', commandOf('closes-its-stdin.sh'), {
    channel: 'frames',
    restart: 'temporary',
  });
  await using tree = startTree([spec], { budget });
  await tree.untilReady(['sidecar'], soon());
  const channel = tree.running('sidecar')?.channel ?? assert.fail();
  channel.send({ much: 'x'.repeat(300_000) });
  channel.send({ more: 1 });
  process.kill(pidOf(tree, 'sidecar'), 'SIGKILL');
  await untilState(tree, 'sidecar', 'exited');
  channel.send({ late: 1 });
});

test('an exit is noticed at once although an escaped process holds the pipe', async () => {
  using folder = temporaryFolder();
  const escaped = Promise.withResolvers<number>();
  const closed = Promise.withResolvers<void>();
  const spec = childSpec(folder.path, 'sidecar', commandOf('escapes-with-stdout.sh'), {
    channel: 'frames',
    restart: 'temporary',
    readiness: readyWhen(({ channel }) => {
      channel?.onClose(closed.resolve);
      channel?.onMessage((message) => escaped.resolve((message as { escaped: number }).escaped));
      return false;
    }),
  });
  await using tree = startTree([spec], { budget });
  try {
    await untilState(tree, 'sidecar', 'exited');
    assert.deepEqual(stateOf(tree, 'sidecar'), { state: 'exited', exit: { code: 3, signal: null } });
    await closed.promise;
  } finally {
    process.kill(await escaped.promise, 'SIGKILL');
  }
});

test('a broken pipe is no error of ours, whoever else listens to the stream', async () => {
  const child = spawn(commandOf('closes-its-stdin.sh')[0], { stdio: ['pipe', 'pipe', 'pipe'] });
  const channel = openFrames(child.stdin, child.stdout, () => undefined);
  try {
    await once(child.stderr, 'data');
    const broken = new Promise((resolve) => child.stdin.once('close', resolve));
    channel.send({ lost: true });
    await broken;
    channel.send({ late: true });
  } finally {
    child.kill('SIGKILL');
    await once(child, 'close');
    await channel.end();
  }
});
