/** The sidecar's frames, with operations that need no model: nothing but Python is needed here. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, test } from 'node:test';
import { watchLeaks } from '../leaks.ts';
import { until } from '../until.ts';
import { python, scripts, startPython, type Frame, type Sidecar } from './sidecar.ts';

const leaks = watchLeaks();
after(() => leaks.assertNone());

const program = join(import.meta.dirname, 'frames_program.py');
const start = (...more: string[]): Sidecar => startPython([program, scripts, ...more]);
const codeOf = (frame: Frame): unknown => (frame['error'] as Frame | undefined)?.['code'];

test('what a library prints goes to stderr: the first frame is the first line', async () => {
  await using sidecar = start();
  assert.deepEqual(await sidecar.first, { ready: true });
  await sidecar.said('a library says hello');
});

test('any text comes back as it was, in one frame of megabytes too', async () => {
  await using sidecar = start();
  for (const [id, text] of ['', '\n\r\u2028"\\', '二甲双胍 💊 \u0000', 'x'.repeat(8 << 20)].entries())
    assert.deepEqual(await sidecar.ask({ id, op: 'echo', text }), { text, id });
});

test('garbage is answered, and the next request too', async () => {
  await using sidecar = start();
  sidecar.write('garbage before the first frame\n');
  assert.deepEqual(await sidecar.first, { ready: true });
  assert.equal(codeOf(await sidecar.unasked()), 'bad-request');
  const garbage = ['', 'no json', '[]', '{"op":"echo"}', '{"id":"1","op":"echo"}', '{"id":1,"op":["echo"]}'];
  const deep = '['.repeat(100_000);
  for (const line of [...garbage, deep, Buffer.from([0xff, 0xfe, 0x7b])]) {
    sidecar.write(line);
    sidecar.write('\n');
    const answer = await sidecar.unasked();
    assert.deepEqual([answer['id'], codeOf(answer)], [null, 'bad-request'], String(line).slice(0, 40));
  }
  const unknown = await sidecar.ask({ id: -7, op: 'bogus' });
  assert.equal((unknown['error'] as Frame)['message'], 'op is one of echo, fail, large, nan, ping, sleep');
  assert.deepEqual(await sidecar.ask({ id: -8, op: 'echo', text: 'a' }), { text: 'a', id: -8 });
});

test('a line over 64 MiB is refused without being kept, an answer over it is not sent', async () => {
  await using sidecar = start();
  await sidecar.first;
  const piece = 'x'.repeat(1 << 20);
  for (let sent = 0; sent < 66; sent += 1) sidecar.write(piece);
  sidecar.write('\n');
  assert.equal(codeOf(await sidecar.unasked()), 'bad-request');
  assert.equal(codeOf(await sidecar.ask({ id: 1, op: 'large' })), 'bad-request');
  assert.deepEqual(await sidecar.ask({ id: 2, op: 'ping' }), { ok: true, id: 2 });
});

test('a request that fails says how, and the process lives on', async () => {
  await using sidecar = start();
  assert.equal(codeOf(await sidecar.ask({ id: 1, op: 'fail', how: 'memory' })), 'out-of-memory');
  assert.deepEqual((await sidecar.ask({ id: 2, op: 'fail', how: 'bug' }))['error'], {
    code: 'failed',
    message: "KeyError: 'a bug'",
  });
  assert.equal(codeOf(await sidecar.ask({ id: 3, op: 'nan' })), 'failed');
  assert.deepEqual(await sidecar.ask({ id: 4, op: 'ping' }), { ok: true, id: 4 });
});

test('after the loss of the GPU the request is answered and the process ends', async () => {
  await using sidecar = start();
  assert.equal(codeOf(await sidecar.ask({ id: 1, op: 'fail', how: 'lost' })), 'failed');
  assert.equal(await sidecar.ended, 70);
});

test('a ping is answered in the middle of a request, and the end of stdin ends that', async () => {
  await using sidecar = start();
  sidecar.write('{"id":1,"op":"sleep"}\n');
  await sidecar.said('sleeping');
  assert.deepEqual(await sidecar.ask({ id: 2, op: 'ping' }), { ok: true, id: 2 });
  sidecar.child.stdin?.end();
  assert.equal(await sidecar.ended, 0);
});

test('the end of stdin ends a start that takes long; nothing is answered before the first frame', async () => {
  await using sidecar = start('slow-start');
  sidecar.write('{"id":1,"op":"ping"}\n');
  await sidecar.said('sleeping');
  sidecar.child.stdin?.end();
  assert.equal(await sidecar.ended, 0);
  await assert.rejects(sidecar.first, /ended with 0/);
});

test('it dies with its parent, however that ends, even if somebody holds its stdin', async () => {
  const asParent = `
    const { spawn } = require('node:child_process');
    const holder = spawn('sleep', ['60'], { stdio: ['ignore', 'pipe', 'ignore'] });
    const child = spawn(process.argv[1], process.argv.slice(2), { stdio: [holder.stdout, 'pipe', 'ignore'] });
    child.stdout.once('data', () => console.log(child.pid + ' ' + holder.pid));`;
  const parent = spawn(process.execPath, ['-e', asParent, '--', python, program, scripts], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(parent, 'close');
  const [line] = (await once(createInterface({ input: parent.stdout }), 'line')) as [string];
  const [pid = '', holder] = line.split(' ');
  assert.ok(existsSync(`/proc/${pid}`));
  parent.kill('SIGKILL');
  await until(() => !existsSync(`/proc/${pid}`), 'the sidecar ends');
  process.kill(Number(holder), 'SIGKILL');
  await ended;
});
