/**
 * Nothing acknowledged is lost or doubled, and what is shown is whole: several runs that live, are released, die, are
 * believed to be dead, sleep in the middle of a step or meet a full disk there, against a plain map of what was
 * acknowledged. Many more of them: model.slow.test.ts.
 */
import { after, test } from 'node:test';
import { assertHolds, openModel } from './model/schedule.ts';

const model = await openModel();
after(() => model[Symbol.asyncDispose]());

test('whatever several runs do to an index, what was acknowledged is shown once and whole', () =>
  assertHolds({ runs: 12, steps: 20 }));
