import assert from 'node:assert/strict';
import { appendFile, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { logNotices, readNotices } from '../../src/services/log-notices.ts';
import { ollamaSpec } from '../../src/services/ollama.ts';
import type { Running } from '../../src/supervise/spec.ts';
import { startTree } from '../../src/supervise/tree.ts';
import { until } from '../until.ts';
import { openBench, soon } from './serving.ts';

const died =
  'time=2026-08-26T02:10:31Z level=ERROR source=l.go:1 msg="llama-server terminated" error="exit status 2"';
const cut =
  'time=2026-08-26T02:10:31Z level=WARN source=l.go:1 msg="truncating input prompt" limit=2048 prompt=5000 keep=4 new=2048';
const loaded =
  'time=2026-08-26T02:10:31Z level=INFO source=l.go:1 msg="llama-server started in 5.00 seconds"';

async function openLog(t: TestContext): Promise<string> {
  const dir = await mkdtemp(path.join(tmpdir(), 'notices-'));
  t.after(() => rm(dir, { recursive: true }));
  return path.join(dir, 'ollama.log');
}

const names = ({ told }: Awaited<ReturnType<typeof readNotices>>): string[] => told.map(({ name }) => name);

test('readNotices() reads what was appended since, and each line once', async (t) => {
  const log = await openLog(t);
  await writeFile(log, `${loaded}\nsome text\n`);
  const first = await readNotices(log, 0);
  assert.deepEqual(names(first), ['loaded-in']);
  assert.deepEqual(names(await readNotices(log, first.position)), []);
  await appendFile(log, `${died}\n`);
  assert.deepEqual(names(await readNotices(log, first.position)), ['runner-died']);
});

test('readNotices() waits for the end of a line', async (t) => {
  const log = await openLog(t);
  await writeFile(log, `${loaded}\n${died.slice(0, 50)}`);
  const first = await readNotices(log, 0);
  assert.deepEqual(names(first), ['loaded-in']);
  await appendFile(log, `${died.slice(50)}\n`);
  assert.deepEqual(names(await readNotices(log, first.position)), ['runner-died']);
});

test('readNotices() begins anew in a log that was rotated in place', async (t) => {
  const log = await openLog(t);
  await writeFile(log, `${'x'.repeat(1000)}\n`);
  const { position } = await readNotices(log, 0);
  await truncate(log);
  await appendFile(log, `${died}\n`);
  assert.deepEqual(names(await readNotices(log, position)), ['runner-died']);
});

test('readNotices() reads no more than the last 256 KiB of a flood', async (t) => {
  const log = await openLog(t);
  await writeFile(log, `${died}\n${`${'x'.repeat(99)}\n`.repeat(5000)}${cut}\n`);
  const { position, told } = await readNotices(log, 0);
  assert.deepEqual(names({ position, told }), ['truncated-prompt']);
  assert.equal(position, died.length + 1 + 500_000 + cut.length + 1);
});

test('readNotices() gets past a line without an end', async (t) => {
  const log = await openLog(t);
  await writeFile(log, 'x'.repeat(300_000));
  const { position } = await readNotices(log, 0);
  await appendFile(log, `\n${died}\n`);
  assert.deepEqual(names(await readNotices(log, position)), ['runner-died']);
});

test('readNotices() of a log that is not there says nothing', async (t) => {
  assert.deepEqual(await readNotices(await openLog(t), 7), { position: 7, told: [] });
});

test('logNotices() reports each kind of warning once a look, with its count, and what came before it, too', async (t) => {
  const log = await openLog(t);
  await writeFile(log, '');
  const reports: unknown[] = [];
  const over = new AbortController();
  t.after(() => over.abort());
  const running = { logTail: () => [loaded, died] } as unknown as Running;
  const end = logNotices(log, 5)(running, (event, detail) => reports.push([event, detail]), over.signal);
  await until(() => reports.length === 1, 'the first look');
  await appendFile(log, `${cut}\n${cut}\n${loaded}\n`);
  await until(() => reports.length === 2, 'the second look');
  await appendFile(log, `${died}\n`);
  await until(() => reports.length === 3, 'the third look');
  over.abort();
  await end;
  const says = 'The process that held the model has ended.';
  const death = [
    'notice',
    { notice: 'runner-died', severity: 'error', says, count: 1, how: 'exit status 2' },
  ];
  assert.deepEqual(reports, [
    death,
    [
      'notice',
      {
        notice: 'truncated-prompt',
        severity: 'error',
        says: 'It cut off the beginning of a prompt that was too long, and told nobody.',
        count: 2,
        limitTokens: 2048,
        promptTokens: 5000,
        keptTokens: 2048,
      },
    ],
    death,
  ]);
});

test('a server that is ready tells what its start warned of', async () => {
  await using bench = await openBench();
  const options = { ...bench.options({ FAKE_NO_GPU: '1' }), allowCpu: true };
  const notices: unknown[] = [];
  await using tree = startTree([ollamaSpec(options)], {
    budget: { intensity: 1, periodMs: 60_000, backoff: { baseMs: 10, capMs: 20 } },
    onEvent: (event) => void (event.event === 'notice' && notices.push(event)),
  });
  await tree.untilReady([options.id], soon());
  await until(() => notices.length > 0, 'the notice');
  assert.deepEqual(notices, [
    {
      id: options.id,
      event: 'notice',
      notice: 'no-gpu',
      severity: 'warn',
      says: 'It found no GPU.',
      count: 1,
      totalBytes: 64 * 2 ** 30,
    },
  ]);
});
