import assert from 'node:assert/strict';
import { closeSync, rmSync, statSync, truncateSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { logTail, openLog } from '../../src/supervise/log-file.ts';
import { temporaryFolder } from './children.ts';

test('the tail of a start holds its own lines only, and at most 64 KiB of them', () => {
  using folder = temporaryFolder();
  const path = join(folder.path, 'logs', 'child.log');
  const write = (text: string): number => {
    const log = openLog(path);
    writeSync(log.fd, text);
    closeSync(log.fd);
    return log.from;
  };
  write('address already in use\n');
  const from = write('first\nsecond\r\nthird\n');
  assert.deepEqual(logTail(path, from, 2), ['second', 'third']);
  assert.deepEqual(logTail(path, from, 10), ['first', 'second', 'third']);
  write('x'.repeat(1_000_000));
  assert.equal(logTail(path, from, 1)[0]?.length, 64 * 1024);
  assert.equal(statSync(path).mode & 0o777, 0o600);
});

test('a log that was rotated or removed under us reads from its beginning, or as empty', () => {
  using folder = temporaryFolder();
  const path = join(folder.path, 'child.log');
  const log = openLog(path);
  truncateSync(path, 0);
  writeSync(log.fd, 'after\n');
  closeSync(log.fd);
  assert.deepEqual(logTail(path, 500, 5), ['after']);
  rmSync(path);
  assert.deepEqual(logTail(path, 0, 5), []);
});
