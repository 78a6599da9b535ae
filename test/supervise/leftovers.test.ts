import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, test } from 'node:test';
import { isAlive, readStat, startTimeOf } from '../../src/machine/processes.ts';
import { endLeftovers, isAbandoned, makeMark } from '../../src/supervise/leftovers.ts';
import { watchLeaks } from '../leaks.ts';
import { soon } from './children.ts';

const leaks = watchLeaks();
after(() => leaks.assertNone());

test('a run is abandoned when its supervisor is proven dead, and not otherwise', () => {
  const is = (value: string): boolean =>
    isAbandoned(value, '47', '9', (pid) => (pid === 100 ? 5000 : undefined));
  assert.equal(is('47.aa.100.5000.9'), false, 'it lives');
  assert.equal(is('47.aa.101.5000.9'), true, 'nobody has its pid');
  assert.equal(is('47.aa.100.4999.9'), true, 'another process has its pid');
  assert.equal(is('47.aa.101.5000.8'), false, 'its pid is one of another namespace');
  assert.equal(is('47_1.aa.101.5000.9'), false, 'another task of the array');
  assert.equal(is('470.aa.101.5000.9'), false, 'another job');
  for (const value of ['', '47', '47.', '47.aa', '47.aa.x.y.9', '47.aa.101.5000.9.1'])
    assert.equal(is(value), false, `'${value}' proves nothing`);
});

test('a mark names the process that made it', () => {
  const [, namespace = ''] = /(\d+)$/.exec(makeMark('47')) ?? [];
  const start = startTimeOf(process.pid);
  assert.match(makeMark('47', 'aa'), new RegExp(`^47\\.aa\\.${process.pid}\\.${start}\\.${namespace}$`));
  assert.notEqual(makeMark('47'), makeMark('47'));
});

const sleeper = (value: string): ChildProcess =>
  spawn('sleep', ['60'], { env: { LEFTOVER_TEST: value, PATH: '/usr/bin:/bin' }, stdio: 'ignore' });

test('what a dead supervisor has left is killed, stopped or not; what has a living one or is of another job is not', async () => {
  const family = `test-${process.pid}`;
  const dead = spawn('true');
  await once(dead, 'exit');
  const ofDead = (start: number): string =>
    makeMark(family, 'aa').replace(/\.\d+\.\d+(?=\.\d+$)/, `.${dead.pid}.${start}`);
  const inherited = ofDead(2);
  const left = [sleeper(ofDead(1)), sleeper(ofDead(1))];
  const kept = [sleeper(makeMark(family)), sleeper(`x${ofDead(1)}`), sleeper(inherited), sleeper('')];
  await Promise.all([...left, ...kept].map((child) => once(child, 'spawn')));
  const exits = left.map((child) => once(child, 'exit'));
  left[0]?.kill('SIGSTOP');

  const swept = await endLeftovers({ name: 'LEFTOVER_TEST', family, inherited, signal: soon() });

  assert.deepEqual(new Set(swept.ended.map(({ pid }) => pid)), new Set(left.map(({ pid }) => pid)));
  assert.deepEqual(swept.left, []);
  assert.deepEqual(await Promise.all(exits), [
    [null, 'SIGKILL'],
    [null, 'SIGKILL'],
  ]);
  for (const child of kept) {
    const stat = readStat(child.pid ?? 0);
    assert.ok(stat !== undefined && isAlive(stat));
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
});
