import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { nextRestart, type RestartHistory } from '../../src/supervise/restart.ts';
import type { RestartBudget } from '../../src/supervise/spec.ts';

const budgets: fc.Arbitrary<RestartBudget> = fc.record({
  intensity: fc.integer({ min: 0, max: 8 }),
  periodMs: fc.integer({ min: 1, max: 10_000 }),
  backoff: fc.record({
    baseMs: fc.integer({ min: 1, max: 500 }),
    capMs: fc.integer({ min: 500, max: 5000 }),
  }),
});
const randoms = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

/** Restarts a child again and again; each life is ready for one of `lives` ms. Gives the times of the restarts. */
function simulate(budget: RestartBudget, lives: readonly number[], random: number) {
  let history: RestartHistory = [];
  let now = 0;
  const restarts: { at: number; delayMs: number }[] = [];
  for (const readyMs of lives) {
    now += readyMs;
    const next = nextRestart(history, budget, now, random);
    if (next.outcome === 'give-up') return { restarts, gaveUpAt: now };
    history = next.history;
    restarts.push({ at: now, delayMs: next.delayMs });
  }
  return { restarts, gaveUpAt: undefined };
}

test('there are never more than `intensity` restarts within a period', () => {
  fc.assert(
    fc.property(budgets, fc.array(fc.integer({ min: 0, max: 3000 })), randoms, (budget, lives, random) => {
      const { restarts } = simulate(budget, lives, random);
      for (const { at } of restarts) {
        const within = restarts.filter((one) => one.at >= at && one.at < at + budget.periodMs);
        assert.ok(within.length <= budget.intensity, `${within.length} restarts`);
      }
    }),
  );
});

test('a child that is never ready is given up after exactly `intensity` restarts, however long each try takes', () => {
  fc.assert(
    fc.property(budgets, randoms, (budget, random) => {
      const { restarts, gaveUpAt } = simulate(budget, Array(20).fill(0), random);
      assert.equal(restarts.length, budget.intensity);
      assert.notEqual(gaveUpAt, undefined);
    }),
  );
});

test('a child that is stable for a period between its crashes is never given up', () => {
  fc.assert(
    fc.property(budgets, randoms, (budget, random) => {
      fc.pre(budget.intensity > 0);
      assert.equal(simulate(budget, Array(50).fill(budget.periodMs), random).gaveUpAt, undefined);
    }),
  );
});

test('the delay doubles from half the base to the cap, and never exceeds the cap', () => {
  fc.assert(
    fc.property(budgets, fc.array(fc.integer({ min: 0, max: 3000 })), randoms, (budget, lives, random) => {
      const { baseMs, capMs } = budget.backoff;
      for (const { delayMs } of simulate(budget, lives, random).restarts)
        assert.ok(delayMs >= Math.min(baseMs, capMs) / 2 && delayMs <= capMs, `${delayMs} ms`);
    }),
  );
  const budget = { intensity: 5, periodMs: 1000, backoff: { baseMs: 100, capMs: 500 } };
  const delays = simulate(budget, [0, 0, 0, 0, 0], 0).restarts.map(({ delayMs }) => delayMs);
  assert.deepEqual(delays, [50, 100, 200, 250, 250]);
});
