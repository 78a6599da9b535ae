import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { codeOf } from '../../src/errors.ts';
import { readStat } from '../../src/machine/processes.ts';
import { startTree } from '../../src/supervise/tree.ts';
import { watchLeaks } from '../leaks.ts';
import {
  budget,
  childSpec,
  commandOf,
  pidOf,
  readyWhen,
  soon,
  temporaryFolder,
  untilState,
} from './children.ts';

const leaks = watchLeaks();
after(() => leaks.assertNone());

test('a child starts when those it waits for are ready, and stops before them', async () => {
  using folder = temporaryFolder();
  const seen: string[] = [];
  {
    await using tree = startTree(
      [
        childSpec(folder.path, 'store', commandOf('sleeps.sh')),
        childSpec(folder.path, 'ollama', commandOf('sleeps.sh'), { after: ['store'] }),
      ],
      { budget },
    );
    tree.onChange(({ id, current }) => seen.push(`${id} ${current.state}`));
    await tree.untilReady(['ollama', 'store'], soon());
    assert.equal(tree.running('ollama')?.launch.cwd, folder.path);
  }
  assert.deepEqual(seen, [
    'store starting',
    'store ready',
    'ollama starting',
    'ollama ready',
    'ollama stopping',
    'ollama exited',
    'store stopping',
    'store exited',
  ]);
});

test('children that wait for nobody become ready at the same time', async () => {
  using folder = temporaryFolder();
  const started = new Set<number>();
  const readiness = readyWhen(({ pid }) => started.add(pid).size === 2);
  await using tree = startTree(
    ['one', 'two'].map((id) => childSpec(folder.path, id, commandOf('sleeps.sh'), { readiness })),
    { budget },
  );
  await tree.untilReady(['one', 'two'], soon());
});

test('a child that floods its log is not held up by it, and its tail is short', async () => {
  using folder = temporaryFolder();
  await using tree = startTree([childSpec(folder.path, 'child', commandOf('floods-its-log.sh'))], { budget });
  await tree.untilReady(['child'], soon());
  const tail = tree.running('child')?.logTail(1_000_000) ?? [];
  assert.ok(tail.length > 1000 && tail.join('\n').length <= 64 * 1024);
  assert.equal(tail.at(-1), 'up');
});

test('while all children are ready no timer runs', async () => {
  using folder = temporaryFolder();
  const timers = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
  const before = timers();
  let isReady = false;
  const spec = childSpec(folder.path, 'child', commandOf('sleeps.sh'), {
    readiness: readyWhen(() => isReady),
  });
  await using tree = startTree([spec], { budget });
  await untilState(tree, 'child', 'starting');
  await new Promise(setImmediate);
  assert.ok(timers() > before, 'the start is bounded');
  isReady = true;
  await tree.untilReady(['child'], soon());
  await new Promise(setImmediate);
  assert.equal(timers(), before);
});

test('a child leads its own group, and its pid is the program itself', async () => {
  using folder = temporaryFolder();
  await using tree = startTree([childSpec(folder.path, 'child', commandOf('sleeps.sh'))], { budget });
  await tree.untilReady(['child'], soon());
  const pid = pidOf(tree, 'child');
  const { group, session, parent } = readStat(pid) ?? assert.fail();
  assert.deepEqual({ group, session, parent }, { group: pid, session: pid, parent: process.pid });
});

test('the order of children is checked before anything is started', () => {
  const spec = (id: string, after: string[] = []) => childSpec('/nowhere', id, ['true'], { after });
  const isBug = (error: unknown): boolean => codeOf(error) === 'bug';
  assert.throws(() => startTree([spec('a', ['b']), spec('b')], { budget }), isBug);
  assert.throws(() => startTree([spec('a'), spec('a')], { budget }), isBug);
});
