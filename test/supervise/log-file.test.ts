import assert from 'node:assert/strict';
import {
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { openLog } from '../../src/supervise/log-file.ts';
import { keepBounded, nextPauseMs } from '../../src/supervise/log-rotation.ts';
import { watchLeaks } from '../leaks.ts';
import { printedWithOwnDisk } from '../own-disk.ts';
import { until } from '../until.ts';
import { temporaryFolder } from './children.ts';

const leaks = watchLeaks();
after(() => leaks.assertNone());

const silent = (): void => undefined;
const maxBytes = 1_000_000;
const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;

test('the tail of a start holds its own lines only, and at most 64 KiB of them', async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, 'logs', 'child.log');
  {
    await using first = await openLog(path, silent);
    writeSync(first.fd, 'address already in use\n');
  }
  await using log = await openLog(path, silent);
  writeSync(log.fd, 'first\nsecond\r\nthird\n');
  assert.deepEqual(log.tail(2), ['second', 'third']);
  assert.deepEqual(log.tail(10), ['first', 'second', 'third']);
  writeSync(log.fd, 'x'.repeat(1_000_000));
  assert.equal(log.tail(1)[0]?.length, 64 * 1024);
  assert.equal(statSync(path).mode & 0o777, 0o600);
});

test('a log that somebody else cut, deleted or replaced is still read, and the loss of its name is told once', async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, 'child.log');
  const events: string[] = [];
  writeFileSync(path, 'of an earlier start\n'.repeat(100));
  {
    await using log = await openLog(path, (event) => events.push(event));
    truncateSync(path, 0);
    writeSync(log.fd, 'cut\n');
    assert.deepEqual(log.tail(5), ['cut']);
    rmSync(path);
    writeSync(log.fd, 'deleted\n');
    await until(() => events.length > 0, 'the loss is told');
    writeFileSync(path, 'of a stranger\n');
    writeSync(log.fd, 'replaced\n');
    assert.deepEqual(log.tail(5), ['cut', 'deleted', 'replaced']);
  }
  assert.deepEqual(events, ['log-lost']);
  assert.equal(readFileSync(path, 'utf8'), 'of a stranger\n');
});

test('a log above its bound is moved to one older file, goes on at its beginning, and its tail is whole', async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, 'child.log');
  await using log = await openLog(path, silent, maxBytes);
  writeFileSync(`${path}.1`, 'of long ago');
  for (let number = 0; number < 110_000; number += 10)
    writeSync(log.fd, Array.from({ length: 10 }, (_, at) => `line ${number + at}\n`).join(''));
  await until(() => sizeOf(path) === 0, 'the log is cut');
  writeSync(log.fd, 'next\n');
  assert.equal(readFileSync(path, 'utf8'), 'next\n');
  const kept = readFileSync(`${path}.1`, 'utf8');
  assert.match(kept, /line 109998\nline 109999\n$/);
  assert.ok(kept.length > maxBytes / 2 && kept.length <= maxBytes, `${kept.length} bytes are kept`);
  assert.equal(statSync(`${path}.1`).mode & 0o777, 0o600);
  assert.deepEqual(log.tail(2), ['line 109999', 'next']);
  assert.ok(log.tail(100_000).join('\n').length <= 64 * 1024);
  assert.deepEqual(readdirSync(folder.path).sort(), ['child.log', 'child.log.1']);
});

test('of a flood that is faster than the copy only the end is kept', async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, 'child.log');
  const bytes = 8 * maxBytes;
  await using real = await open(path, 'a+');
  await real.appendFile(Buffer.alloc(bytes + 1, 'before\n'));
  const read = async (chunk: Buffer, offset: number, length: number, position: number): Promise<unknown> => {
    await real.appendFile('during\n'.repeat(100_000));
    return real.read(chunk, offset, length, position);
  };
  const file = { read, stat: () => real.stat(), truncate: () => real.truncate() } as unknown as FileHandle;
  await keepBounded({ file, path, maxBytes: bytes, report: silent, onCut: silent }, AbortSignal.abort());
  assert.ok(sizeOf(`${path}.1`) < bytes / 2, `${sizeOf(`${path}.1`)} bytes are kept`);
  assert.match(readFileSync(`${path}.1`, 'latin1'), /during\n$/);
  assert.equal(sizeOf(path), 0);
});

test('what was written in the last moment, or by starts too short to be looked at, is bounded as well', async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, 'child.log');
  for (let start = 0; start < 3; start += 1) {
    await using log = await openLog(path, silent, maxBytes);
    writeSync(log.fd, Buffer.alloc(3 * maxBytes, 'x'));
  }
  assert.equal(sizeOf(path), 0);
  assert.ok(sizeOf(`${path}.1`) <= maxBytes);
});

test('a deleted log is cut too: nobody sees the space that it takes', async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, 'logs', 'child.log');
  const events: string[] = [];
  await using log = await openLog(path, (event) => events.push(event), maxBytes);
  rmSync(join(folder.path, 'logs'), { recursive: true });
  writeSync(log.fd, Buffer.alloc(2 * maxBytes, 'line\n'));
  await until(() => sizeOf(`/proc/self/fd/${log.fd}`) === 0, 'the log is cut');
  assert.deepEqual(events, ['log-lost', 'log-not-kept']);
  assert.deepEqual(log.tail(2), ['line', 'line']);
});

test('a log that was moved away is neither copied over its successor nor left unbounded', async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, 'child.log');
  await using log = await openLog(path, silent, maxBytes);
  renameSync(path, join(folder.path, 'moved'));
  writeFileSync(path, 'successor');
  writeSync(log.fd, Buffer.alloc(2 * maxBytes, 'x'));
  await until(() => sizeOf(join(folder.path, 'moved')) === 0, 'the log is cut');
  assert.equal(readFileSync(path, 'utf8'), 'successor');
});

test('a full disk: the copy is given up, the log is cut all the same, and that is told once', (context) => {
  const program = join(import.meta.dirname, '../fixtures/children/fills-its-disk.ts');
  const printed = printedWithOwnDisk(context, program);
  if (printed !== undefined)
    assert.deepEqual(printed, {
      fulls: 2,
      events: ['log-not-kept'],
      files: ['child.log'],
      tail: 'of round 1',
    });
});

test('the next look comes before the log is full at its pace, and once a second when it is idle', () => {
  const idle = [0];
  for (let look = 0; look < 8; look += 1) idle.push(nextPauseMs(0, idle.at(-1) ?? 0, 1e6));
  assert.deepEqual(idle, [0, 20, 40, 80, 160, 320, 640, 1000, 1000]);
  assert.equal(nextPauseMs(-5, 1000, 64), 1000, 'it was cut');
  assert.equal(nextPauseMs(100, 100, 300), 150);
  assert.equal(nextPauseMs(1e9, 10, 1e6), 20, 'a flood');
  assert.equal(nextPauseMs(10, 1000, -5), 20, 'it is full');
});
