/** Many schedules of several runs (see model.test.ts): 1,000 of up to 40 steps, or `MODEL_RUNS` of `MODEL_STEPS`. */
import process from 'node:process';
import { after, test } from 'node:test';
import { assertHolds, openModel } from './model/schedule.ts';

const model = await openModel();
after(() => model[Symbol.asyncDispose]());

const { MODEL_RUNS = '1000', MODEL_STEPS = '40', MODEL_SEED } = process.env;

test('whatever several runs do to an index for long, what was acknowledged is shown once and whole', () =>
  assertHolds({
    runs: Number(MODEL_RUNS),
    steps: Number(MODEL_STEPS),
    seed: MODEL_SEED === undefined ? undefined : Number(MODEL_SEED),
  }));
