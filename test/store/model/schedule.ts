/** Schedules: what fast-check makes, and how one is played. */
import assert from 'node:assert/strict';
import process from 'node:process';
import { setTimeout as pause } from 'node:timers/promises';
import * as fc from 'fast-check';
import { scratchFolder } from '../forked-host.ts';
import { openGates, type Fate } from './effects.ts';
import { documents, editions } from './editions.ts';
import { look } from './look.ts';
import type { RunKind } from './run.ts';
import type { Step } from './step.ts';
import { World } from './world.ts';

const run = fc.nat(2);
const document = fc.constantFrom(...documents);
const fate = fc.constantFrom<Fate>('dies', 'sleeps', 'sleeps', 'full');
/** A step or two of what is done in nearly every case, or anywhere in a consolidation that has all to do. */
const soon = fc.oneof(fc.nat(10), fc.nat(30), fc.nat(70));
const trouble = fc.option(fc.record({ after: soon, fate }), { nil: undefined, freq: 4 });
const rare = fc.oneof(
  { weight: 3, arbitrary: fc.constant(undefined) },
  { weight: 1, arbitrary: fc.record({ after: fc.nat(20), fate }) },
);

const rows = fc.array(fc.nat(2), { minLength: 1, maxLength: 8, size: 'max' });
const some = fc.uniqueArray(document, { minLength: 1, maxLength: 2 });
const is = fc.constant;

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 9,
    arbitrary: fc.record({ run, does: is('asks' as const), document, edition: fc.nat(editions - 1) }),
  },
  { weight: 8, arbitrary: fc.record({ run, does: is('commits' as const), rows, trouble: rare }) },
  { weight: 1, arbitrary: fc.record({ run, does: is('drops' as const), document }) },
  { weight: 1, arbitrary: fc.record({ run, does: is('sets aside' as const), document }) },
  { weight: 2, arbitrary: fc.record({ run, does: is('removes' as const), documents: some, trouble: rare }) },
  { weight: 5, arbitrary: fc.record({ run, does: is('consolidates' as const), trouble }) },
  { weight: 1, arbitrary: fc.record({ run, does: is('tags' as const), trouble }) },
  {
    weight: 5,
    arbitrary: fc.record({
      run,
      does: fc.constantFrom(
        'releases' as const,
        'dies' as const,
        'is believed dead' as const,
        'wakes' as const,
        'wakes' as const,
      ),
    }),
  },
);

const kind: fc.Arbitrary<RunKind> = fc.record({
  where: fc.constantFrom('here', 'elsewhere', 'elsewhere'),
  aheadMs: fc.constantFrom(0, 0, 3_600_000, -3_600_000),
});

interface Schedule {
  readonly kinds: readonly RunKind[];
  readonly steps: readonly Step[];
}

const schedule = (most: number): fc.Arbitrary<Schedule> =>
  fc.record({
    kinds: fc.array(kind, { minLength: 3, maxLength: 3 }),
    steps: fc.array(step, { minLength: 8, maxLength: most, size: 'max' }),
  });

/** None of them waits for anything but files. */
const stepMs = 60_000;

async function inTime(work: Promise<void>): Promise<void> {
  const late = new AbortController();
  const tooLate = pause(stepMs, undefined, { signal: late.signal }).then(() => assert.fail('it hangs'));
  try {
    await Promise.race([work, tooLate]);
  } finally {
    late.abort();
  }
}

/** @throws AssertionError after the step at which something was lost, doubled or short */
async function play({ kinds, steps }: Schedule): Promise<void> {
  await using scratch = await scratchFolder();
  await using world = new World(scratch.path, kinds);
  for (const [at, each] of steps.entries()) {
    try {
      await inTime(world.step(each));
      await inTime(look(world.root, world.truth));
    } catch (error) {
      (error as Error).message = `after step ${at} (${JSON.stringify(each)}): ${(error as Error).message}`;
      throw error;
    }
  }
  await world.end();
}

/** One line a step, to be read and to be played again. */
const inLines = ({ kinds, steps }: Schedule): string =>
  [...kinds, ...steps].map((each) => `  ${JSON.stringify(each)}`).join('\n');

/** Plays schedules; the first that fails is made as short as it can be. */
export async function assertHolds({
  runs,
  steps,
  seed,
}: {
  readonly runs: number;
  readonly steps: number;
  readonly seed?: number | undefined;
}): Promise<void> {
  const found = await fc.check(fc.asyncProperty(schedule(steps), play), {
    numRuns: runs,
    ...(seed === undefined ? {} : { seed }),
  });
  if (!found.failed) return;
  const lines = found.counterexample === null ? '' : inLines(found.counterexample[0]);
  throw new Error(`seed ${found.seed}, after ${found.numRuns} schedules:\n${lines}`, {
    cause: found.errorInstance,
  });
}

/** The gates, and a place for the folders that LanceDB leaves where temporary files go. */
export async function openModel(): Promise<AsyncDisposable> {
  const temporary = await scratchFolder();
  process.env['TMPDIR'] = temporary.path;
  const gates = await openGates(temporary.path);
  return {
    [Symbol.asyncDispose]: async () => {
      gates[Symbol.dispose]();
      await temporary[Symbol.asyncDispose]();
    },
  };
}
