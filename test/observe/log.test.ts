import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { openLog } from '../../src/observe/log.ts';
import { printedWithOwnDisk } from '../own-disk.ts';

function temporaryLog(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'log-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'supervisor.jsonl');
}

const linesOf = (path: string): unknown[] =>
  readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as { msg: string }).msg);

test('a line goes to people and to the file, a line for the file to the file alone', (context) => {
  const path = temporaryLog(context);
  const told: string[] = [];
  {
    using log = openLog({ path, tell: (line) => told.push(line) });
    log('warn', 'ollama is started again', { restarts: 1 });
    log.file('ollama: spawned', { pid: 7 });
  }
  const [line = '', ...more] = told;
  assert.match(line, /^\d\d:\d\d:\d\d warn: ollama is started again$/);
  assert.deepEqual(more, []);
  assert.deepEqual(linesOf(path), ['ollama is started again', 'ollama: spawned']);
  assert.equal(statSync(path).mode & 0o777, 0o600);
});

test('a log that was deleted or moved away is begun anew with the next line', (context) => {
  const path = temporaryLog(context);
  using log = openLog({ path, tell: assert.fail });
  log.file('one');
  rmSync(path);
  log.file('two');
  renameSync(path, `${path}.moved`);
  log.file('three');
  assert.deepEqual(linesOf(`${path}.moved`), ['two']);
  assert.deepEqual(linesOf(path), ['three']);
});

test('above its bound it goes on in a new file and keeps one older', (context) => {
  const path = temporaryLog(context);
  using log = openLog({ path, tell: assert.fail, maxBytes: 10_000 });
  const descriptors = (): number => readdirSync('/proc/self/fd').length;
  const before = descriptors();
  for (let number = 0; number < 500; number += 1) log.file(`line ${number}`);
  const kept = [...linesOf(`${path}.1`), ...linesOf(path)];
  assert.equal(kept.at(-1), 'line 499');
  assert.ok(kept.length > 100 && kept.length < 500);
  for (const file of [path, `${path}.1`]) assert.ok(statSync(file).size <= 10_000);
  assert.equal(descriptors(), before);
});

test('a folder that is gone is told once, and the log goes on when it is back', (context) => {
  const path = temporaryLog(context);
  const told: string[] = [];
  using log = openLog({ path, tell: (line) => told.push(line) });
  rmSync(join(path, '..'), { recursive: true });
  log.file('lost');
  log.file('lost');
  assert.equal(told.length, 1);
  assert.match(told[0] ?? '', /^warn: .*supervisor\.jsonl cannot be written: .*ENOENT/);
  mkdirSync(join(path, '..'));
  log.file('found');
  assert.deepEqual(linesOf(path), ['found']);
});

test('a closed log is silent', (context) => {
  const path = temporaryLog(context);
  const log = openLog({ path, tell: assert.fail });
  log[Symbol.dispose]();
  log[Symbol.dispose]();
  rmSync(path);
  log.file('late');
  assert.ok(!existsSync(path));
});

test('a full disk is told once, ends nothing, and the next line is whole', (context) => {
  const program = join(import.meta.dirname, '../fixtures/fills-the-disk-of-its-log.ts');
  const printed = printedWithOwnDisk(context, program);
  if (printed !== undefined) assert.deepEqual(printed, { told: 1, last: 'after' });
});
