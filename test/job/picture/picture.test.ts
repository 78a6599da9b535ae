import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noPast, parsePast, writtenPast } from '../../../src/job/picture/past.ts';
import { runPicture } from '../../../src/job/picture/runs.ts';
import { addFailure, afterRun, mostListed, noneSetAside } from '../../../src/job/picture/set-aside.ts';
import { begin, examplePast, examplePicture } from '../../page/example.ts';

const iso = (second: number): string => new Date(begin + 1000 * second).toISOString();
const raw = {
  run: 'a',
  restart: 2,
  node: 'node17',
  started_at: iso(0),
  ended_at: iso(100),
  outcome: null,
  phases: [
    { phase: 'starting', from: iso(0), seconds: 10 },
    { phase: 'ingest', from: iso(10), seconds: 90 },
  ],
  services: [{ id: 'embed', gpus: ['0'], restarts: 1 }],
  events: [
    { id: 'embed', at: iso(8), state: 'ready', reason: null },
    { id: 'embed', at: iso(50), state: 'restarting', reason: 'was ended by SIGKILL' },
    { id: 'embed', at: new Date(begin + 60_000), state: 'ready', reason: null },
    { id: 'other', at: iso(70), state: 'ready', reason: null },
  ],
};

test('the life of a service is told without a gap: what it was between two events the former says', () => {
  const { services, phases } = runPicture(raw) ?? assert.fail();
  const seconds = ({ from, to }: { from: number; to: number }): number[] => [
    (from - begin) / 1000,
    (to - begin) / 1000,
  ];
  assert.deepEqual(
    services[0]?.spans.map((span) => [span.what, ...seconds(span), span.reason]),
    [
      ['not ready', 0, 8, null],
      ['ready', 8, 50, null],
      ['restarting', 50, 60, 'was ended by SIGKILL'],
      ['ready', 60, 100, null],
    ],
  );
  assert.deepEqual(
    phases.map((span) => [span.what, ...seconds(span)]),
    [
      ['starting', 0, 10],
      ['ingest', 10, 100],
    ],
  );
});

test('a run of an older report is told as far as it goes, and what is no run is passed over', () => {
  const { run, started_at, ended_at } = raw;
  const old = runPicture({ run, started_at, ended_at, seconds: 100 }) ?? assert.fail();
  assert.deepEqual([old.services, old.phases, old.restart], [[], [], 0]);
  for (const other of [null, 7, {}, { run: 'a' }, { ...raw, started_at: 'yesterday' }])
    assert.equal(runPicture(other), undefined);
});

test('what a run leaves is what the next one reads', () => {
  const past = examplePast();
  const read = parsePast(writtenPast(past));
  assert.deepEqual(read.series, past.series);
  assert.deepEqual(read.setAside, past.setAside);
  for (const [id, { usage }] of Object.entries(past.gpus))
    assert.deepEqual(
      [
        read.gpus[id]?.usage.idleSeconds,
        read.gpus[id]?.usage.watchedSeconds,
        read.gpus[id]?.usage.quietSeconds,
      ],
      [usage.idleSeconds, usage.watchedSeconds, 0],
    );
  assert.deepEqual(parsePast(writtenPast(noPast)), noPast);
  assert.ok(writtenPast(past).length < 600_000, 'it is written again and again to a shared disk');
});

test('documents beyond what is listed are counted', () => {
  let setAside = noneSetAside;
  for (let n = 0; n < mostListed + 20; n += 1)
    setAside = addFailure(setAside, { document: String(n), state: 'failed', reason: 'x' });
  setAside = addFailure(setAside, { document: '3', state: 'failed', reason: 'y' });
  assert.deepEqual([setAside.listed.size, setAside.more], [mostListed, 20]);
  assert.equal(setAside.listed.get('3')?.reason, 'y');
  assert.equal(afterRun(setAside, noneSetAside, true).more, 0);
  assert.equal(afterRun(setAside, setAside, false).more, 40);
});

test('a picture says whether questions are answered, and why not', () => {
  assert.equal(examplePicture().asking.state, 'open');
  const postponed = examplePicture({ phase: 'ingest', postponed: true }).asking;
  assert.deepEqual([postponed.state, postponed.seconds], ['postponed', 300]);
  assert.equal(examplePicture({ phase: 'draining' }).asking.state, 'none');
});

test('a picture of a whole job goes through JSON unharmed and is small enough for a tunnel', () => {
  const picture = examplePicture();
  const text = JSON.stringify(picture);
  assert.deepEqual(JSON.parse(text), picture);
  assert.ok(text.length < 150_000, `${text.length} bytes`);
  const { series } = picture;
  assert.ok(series !== null);
  for (const column of [
    series.chunksPerSecond,
    series.questionP95Ms,
    series.queue,
    ...series.gpus.flatMap(({ use, memoryBytes }) => [use, memoryBytes]),
  ])
    assert.equal(column.length, series.from.length);
  assert.equal(examplePicture({ seen: picture.seen }).series, null);
});
