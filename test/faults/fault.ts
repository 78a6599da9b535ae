/**
 * One fault: what is done to the program, in each containment mode, as root and as an ordinary user. A test each.
 * `npm run faults` runs all of them, repeats those that are worth it, and makes a table of what they found; without it
 * each mode and each user has its turn, but not each pair of them.
 */
import assert from 'node:assert/strict';
import { appendFileSync } from 'node:fs';
import { after, test } from 'node:test';
import type { ContainmentMode } from '../../src/supervise/containment.ts';
import { messageOf } from '../../src/errors.ts';
import { watchLeaks } from '../leaks.ts';
import { describe, openWorld, type User, whyNot, type World } from './world.ts';

/**
 * `clean`: nothing of the run is left. `replaced`: what was lost stands again, and nothing of the old is left.
 * `noticed`: the end of a service is told as it was. `goes on`: no service was lost. `refused`: it ends with an error
 * that says what is wrong. `degraded`: it goes on, and says what is missing. `gap`: something is left, as the
 * documents say.
 */
export type Outcome = 'clean' | 'replaced' | 'noticed' | 'refused' | 'goes on' | 'degraded' | 'gap';

export interface Found {
  readonly outcome: Outcome;
  /** From the fault to the outcome. */
  readonly ms: number;
  readonly detail?: string;
}

export interface Fault {
  /** Number in the list of faults. */
  readonly list: number;
  readonly fault: string;
  /** The room `supervise` with tiny programs, or the whole program with a fake Ollama. */
  readonly of: 'tree' | 'program';
  readonly modes?: readonly ContainmentMode[];
  readonly users?: readonly User[];
  /** As often as RAG_FAULTS_TIMES says. */
  readonly repeated?: boolean;
  /** The promise. */
  readonly atMostMs?: number;
}

/** A line of the results. `red`: a test failed. `not run`: this machine cannot. */
export interface Row extends Omit<Fault, 'modes' | 'users' | 'repeated'> {
  readonly mode: ContainmentMode;
  readonly user: User;
  readonly times: number;
  readonly outcome: Outcome | 'red' | 'not run';
  readonly medianMs: number;
  readonly worstMs: number;
  readonly detail: string;
}

/** Thrown by a fault that this machine does not allow. */
export class NotHere extends Error {}

const times = Number(process.env['RAG_FAULTS_TIMES'] ?? 1);
const results = process.env['RAG_FAULTS_RESULTS'];
const leaks = watchLeaks();
after(() => leaks.assertNone());

const isTurn = (
  mode: ContainmentMode,
  user: User,
  { modes, users }: Pick<Fault, 'modes' | 'users'>,
): boolean =>
  results !== undefined ||
  Object.values(whyNot).some((why) => why !== undefined) ||
  modes?.length === 1 ||
  users?.length === 1 ||
  (mode === 'guard') === (user === 'root');

export function fault(told: Fault, happen: (world: World) => Promise<Found>): void {
  const { modes = ['guard', 'pidns'], users = ['root', 'ordinary'], repeated = false, ...about } = told;
  for (const user of users)
    for (const mode of modes.filter((one) => isTurn(one, user, told)))
      test(`${told.fault} [${mode}, ${user}]`, async (t) => {
        const found: Found[] = [];
        const record = (outcome: Row['outcome'], detail: string): void => {
          const row = { ...about, mode, user, times: found.length, outcome, ...figures(found), detail };
          if (results !== undefined) appendFileSync(results, `${JSON.stringify(row satisfies Row)}\n`);
        };
        try {
          const why = whyNot[user];
          if (why !== undefined) throw new NotHere(why);
          for (let time = 0; time < (repeated ? times : 1); time += 1) {
            await using world = openWorld(mode, user);
            const one = await happen(world);
            if (one.outcome !== 'gap') assert.deepEqual(world.everyone().map(describe), [], 'left over');
            found.push(one);
          }
          const { outcome, detail } = agreed(found);
          t.diagnostic(`${outcome} after ${figures(found).worstMs} ms${detail === '' ? '' : `: ${detail}`}`);
          const { atMostMs = Number.POSITIVE_INFINITY } = told;
          assert.ok(figures(found).worstMs <= atMostMs, `${figures(found).worstMs} ms, wanted ${atMostMs}`);
          record(outcome, detail);
        } catch (error) {
          record(error instanceof NotHere ? 'not run' : 'red', messageOf(error));
          if (!(error instanceof NotHere)) throw error;
          t.skip(error.message);
        }
      });
}

function figures(found: readonly Found[]): { medianMs: number; worstMs: number } {
  const sorted = found.map(({ ms }) => Math.round(ms)).toSorted((a, b) => a - b);
  return { medianMs: sorted[Math.floor(sorted.length / 2)] ?? 0, worstMs: sorted.at(-1) ?? 0 };
}

function agreed(found: readonly Found[]): { outcome: Outcome; detail: string } {
  const [outcome, other] = new Set(found.map((one) => one.outcome));
  assert.ok(outcome !== undefined && other === undefined, `${outcome} and ${other}`);
  return { outcome, detail: [...new Set(found.map(({ detail }) => detail).filter(Boolean))].join('; ') };
}
