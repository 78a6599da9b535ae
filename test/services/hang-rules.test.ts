import assert from 'node:assert/strict';
import { test } from 'node:test';
import { calm, firstRemedy, nextStillness, stuckFor, type Look } from '../../src/services/hang.ts';
import { watchBounds } from '../../src/services/ollama-watch.ts';

const stepMs = 5_000;
const bounds = watchBounds(180_000);
const first: Look = { inFlight: 0, heard: 0, served: 0, cpuMs: 0, readBytes: 0, deaths: 0 };
/** What every further look adds to the sums. */
type Step = Partial<Look>;

const add = (look: Look, step: Step): Look => ({
  inFlight: step.inFlight ?? 0,
  heard: look.heard + (step.heard ?? 0),
  served: look.served + (step.served ?? 0),
  cpuMs: look.cpuMs + (step.cpuMs ?? 0),
  readBytes: look.readBytes + (step.readBytes ?? 0),
  deaths: step.deaths ?? 0,
});

function after(steps: readonly Step[]) {
  let [still, last] = [calm, first];
  for (const step of steps) {
    const now = add(last, step);
    still = nextStillness(still, last, now, stepMs);
    last = now;
  }
  return still;
}

const times = (minutes: number, step: Step): Step[] =>
  Array.from({ length: (minutes * 60_000) / stepMs }, () => step);

const waiting = { inFlight: 3 };
const computing = { ...waiting, cpuMs: 100 };
const loading = { ...waiting, readBytes: 2 ** 20 };

for (const [what, steps, stuck] of [
  ['two silent minutes without CPU', times(2, waiting), true],
  ['a little less than that', times(2, waiting).slice(1), false],
  ['a runner that spends less than a hundredth of a core', times(2, { ...waiting, cpuMs: 40 }), true],
  ['a runner that computes for ten minutes', times(10, computing), false],
  ['a runner that computes for fifteen minutes with no byte of an answer', times(15, computing), true],
  ['a runner that computed before it stood still', [...times(5, computing), ...times(2, waiting)], true],
  ['a load of an hour', times(60, loading), false],
  ['a load that stands still for two minutes', [...times(5, loading), ...times(2, waiting)], true],
  ['an answer once a minute', times(1, waiting).concat({ ...waiting, heard: 1 }, times(1, waiting)), false],
  ['refusals only', times(30, { ...waiting, heard: 1 }), false],
  ['an hour without requests', times(60, {}), false],
  ['requests that are given up and sent anew', [...times(1, waiting), {}, ...times(1, waiting)], false],
  [
    'new runners, whose sums begin anew',
    [...times(1, computing), { ...waiting, cpuMs: -900 }, ...times(1, waiting)],
    false,
  ],
] as const) {
  test(`${what}: ${stuck ? 'stuck' : 'well'}`, () => {
    assert.equal(stuckFor(after(steps), bounds.flight) !== undefined, stuck);
  });
}

test('a job that was suspended for an hour has been looked at once more, whatever the clock says', () => {
  // The pause that was running ends once; looks that would have come meanwhile never come.
  assert.equal(stuckFor(after([...times(1, waiting), waiting]), bounds.flight), undefined);
});

test('the reason says what was seen', () => {
  assert.equal(
    stuckFor(after(times(2, waiting)), bounds.flight),
    'no byte for 120 s, and its runners have computed nothing for 120 s',
  );
  assert.equal(stuckFor(after(times(15, computing)), bounds.flight), 'no byte for 900 s');
});

test('a server rests from its last request on, and what came back ends the rest', () => {
  assert.equal(after(times(5, {})).restMs, 300_000);
  assert.equal(after([...times(5, {}), { heard: 1 }]).restMs, 0);
  assert.equal(after([...times(5, {}), waiting, {}]).restMs, stepMs);
});

test('runners that end are counted until somebody gets a piece of an answer; a refusal is none', () => {
  assert.equal(after([{ deaths: 2 }, {}, { deaths: 1, heard: 1 }]).deaths, 3);
  assert.equal(after([{ deaths: 2 }, { heard: 1, served: 1 }]).deaths, 0);
});

test('the next hang begins with the mildest remedy, unless that one helped nobody', () => {
  assert.equal(firstRemedy(null, false), 'end its requests');
  assert.equal(firstRemedy('end its requests', true), 'end its requests');
  assert.equal(firstRemedy('end its requests', false), 'kill its runners');
  assert.equal(firstRemedy('kill its runners', false), 'end its requests');
});
