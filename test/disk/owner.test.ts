import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { lifeOf, makeOwner, parseOwner } from '../../src/disk/owner.ts';
import { readStat } from '../../src/machine/processes.ts';

test('an owner survives its file; what names nobody is no owner', () => {
  const owner = makeOwner();
  assert.deepEqual(parseOwner(JSON.stringify(owner)), owner);
  for (const text of ['', '{}', 'null', '{"nonce":1}', '{"nonce":'])
    assert.equal(parseOwner(text), undefined);
});

test('a process lives where its number, its start and its place agree; elsewhere nobody knows', () => {
  const owner = makeOwner();
  assert.equal(lifeOf(owner), 'alive');
  assert.equal(lifeOf({ ...owner, started: owner.started + 1 }), 'dead');
  assert.equal(lifeOf({ ...owner, place: 'elsewhere' }), 'unknown');
  assert.equal(lifeOf({ ...owner, place: '' }), 'unknown');
});

test('a process that has ended and that nobody waited for is dead', async () => {
  // The shell becomes a sleep, which does not know that it has a child.
  const parent = spawn('/bin/sh', ['-c', 'exec 3<&0; read line <&3 & echo $!; exec sleep 60'], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  try {
    const pid = Number(await firstLine(parent));
    const started = readStat(pid)?.startTime ?? assert.fail();
    const owner = { ...makeOwner(), pid, started };
    assert.equal(lifeOf(owner), 'alive');
    parent.stdin?.end();
    while (readStat(pid)?.state !== 'Z') await new Promise((resolve) => setImmediate(resolve));
    assert.equal(lifeOf(owner), 'dead');
  } finally {
    parent.kill('SIGKILL');
    await once(parent, 'exit');
  }
});

async function firstLine(child: ChildProcess): Promise<string> {
  const [text] = (await once(child.stdout ?? assert.fail(), 'data')) as [Buffer];
  return text.toString().trim();
}
