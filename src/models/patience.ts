import { setTimeout as sleep } from 'node:timers/promises';
import { RagError } from '../errors.ts';
import type { Turn } from './flights.ts';
import { setbackOf } from './ollama-errors.ts';
import type { Setback } from './ollama-errors.ts';
import type { ModelEndpoint, Role, Roster } from './types.ts';

/** How often a request met each setback. */
export type Tally = Readonly<Record<Setback, number>>;

export const noSetbacks: Tally = { refused: 0, busy: 0, died: 0 };

/**
 * A request that ended its server twice is given up: it may be the reason. A refused connection blames nobody,
 * but an endpoint that is listed and refuses for a minute is not restarting. A full queue empties slowly.
 */
const limits: Tally = { refused: 30, busy: 120, died: 2 };
const pauseMs = { base: 100, cap: 2_000 };

/** What to do after a failure: the new tally and the pause before the next try, or null to give up. */
export function nextTry(
  tally: Tally,
  error: unknown,
): { readonly tally: Tally; readonly waitMs: number } | null {
  const setback = setbackOf(error);
  if (setback === undefined) return null;
  const count = tally[setback] + 1;
  if (count >= limits[setback]) return null;
  return { tally: { ...tally, [setback]: count }, waitMs: Math.min(pauseMs.cap, pauseMs.base * 2 ** count) };
}

/**
 * Whatever was under way when a server ended or hung is a suspect, and goes alone from then on: two at once would
 * end it twice, and the innocent one of them be set aside together with the other.
 */
export const turnOf = ({ died }: Tally): Turn => (died > 0 ? 'alone' : 'shared');

/** @throws aborted */
export async function pause(waitMs: number, signal: AbortSignal): Promise<void> {
  await sleep(waitMs, undefined, { signal }).catch((cause: unknown) => {
    throw new RagError('aborted', 'Cannot try the model server again: the wait was cancelled', { cause });
  });
}

/** Sends a request to whichever server of the role is up, again after each setback, through restarts too. */
export async function untilAnswered<T>(
  {
    roster,
    role,
    signal,
    tally = noSetbacks,
  }: { roster: Roster; role: Role; signal: AbortSignal; tally?: Tally },
  attempt: (endpoint: ModelEndpoint, turn: Turn) => Promise<T>,
): Promise<T> {
  for (;;) {
    const endpoint = await roster.untilAvailable(role, signal);
    try {
      return await attempt(endpoint, turnOf(tally));
    } catch (error) {
      const next = nextTry(tally, error);
      if (next === null) throw error;
      tally = next.tally;
      await pause(next.waitMs, signal);
    }
  }
}
