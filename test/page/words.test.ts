import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import * as amounts from '../../src/page/amounts.ts';
import { chartWidth, niceTop, timeScale } from '../../src/page/scale.ts';

test('numbers are written as people read them', () => {
  assert.deepEqual([0, 999, 1000, 1_019_821].map(amounts.countText), ['0', '999', '1,000', '1,019,821']);
  assert.deepEqual([0, 0.1234, 1.234, 12.34, 1234.5].map(amounts.rateText), [
    '0',
    '0.12',
    '1.23',
    '12.3',
    '1,230',
  ]);
  assert.deepEqual([0, 89.6, 95, 5400, 12_000, 172_800, 190_000].map(amounts.durationText), [
    '0 s',
    '90 s',
    '2 min',
    '1 h 30 min',
    '3 h 20 min',
    '2 d',
    '2 d 4 h',
  ]);
  assert.deepEqual([0.42, 340.4, 2100, 100_000].map(amounts.millisecondsText), [
    '0.42 ms',
    '340 ms',
    '2.1 s',
    '2 min',
  ]);
  assert.deepEqual([0.041, 12.52, 1240].map(amounts.hoursText), ['0.04', '12.5', '1,240']);
  assert.deepEqual([amounts.plural(1, 'run'), amounts.plural(1200, 'run')], ['1 run', '1,200 runs']);
  assert.equal(amounts.percentText(0.834), '83 %');
});

test("moments are told by the job's clock, wherever the page is read", () => {
  const at = Date.UTC(2026, 10, 22, 23, 4, 9);
  assert.deepEqual([amounts.momentText(at, 60), amounts.clockText(at, 60)], ['23 Nov 00:04', '00:04:09']);
  assert.deepEqual([0, 60, -210].map(amounts.zoneText), ['UTC', 'UTC+01:00', 'UTC−03:30']);
});

test('the top of a chart is a round number, never below what is drawn and never twice and a half of it', () => {
  assert.deepEqual([0, 0.3, 1, 7, 20, 21, 147].map(niceTop), [1, 0.5, 1, 10, 20, 50, 200]);
  fc.assert(
    fc.property(fc.double({ min: 1e-9, max: 1e12, noNaN: true }), (value) => {
      assert.ok(niceTop(value) >= value * (1 - 1e-9));
      assert.ok(niceTop(value) <= value * 2.5 * (1 + 1e-9));
    }),
  );
});

const lives = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 1e7 }), fc.integer({ min: 0, max: 1e6 })), {
    minLength: 1,
    maxLength: 40,
  })
  .map((parts) => {
    let at = 0;
    return parts.map(([wait, length]) => {
      const from = (at += wait);
      return { from, to: (at += length) };
    });
  });

test('time goes from left to right over all runs, within the chart, and the waits between them take next to nothing', () => {
  fc.assert(
    fc.property(lives, (runs) => {
      const scale = timeScale(runs);
      const places = runs.map(({ from, to }) => scale.place(from, to) ?? assert.fail());
      for (const [index, { left, right }] of places.entries()) {
        assert.ok(left <= right && left >= (places[index - 1]?.left ?? 0));
        assert.ok(right <= chartWidth + 1e-6);
      }
      assert.equal(scale.breaks.length, runs.length - 1);
    }),
  );
});

test('a moment between two runs has no place, and half a run is half as wide', () => {
  const scale = timeScale([
    { from: 0, to: 1000 },
    { from: 50_000, to: 53_000 },
  ]);
  assert.equal(scale.place(2000, 3000), null);
  const whole = scale.place(50_000, 53_000) ?? assert.fail();
  const half = scale.place(50_000, 51_500) ?? assert.fail();
  assert.ok(Math.abs((half.right - half.left) * 2 - (whole.right - whole.left)) < 1e-6);
  assert.equal(timeScale([]).place(0, 1), null);
});
