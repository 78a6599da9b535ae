/**
 * Shares the inputs of one command among the runs that Slurm has started for it. Each takes portions of one
 * listing: its own first, then what nobody has begun, then what somebody has left, died of or stopped at.
 *
 * It saves work and nothing else hangs on it: what was written is known to the store, so that a portion may be done
 * twice; and where the files of the round cannot be written, each run does everything.
 */
import { join } from 'node:path';
import { codeOf, messageOf, RagError } from '../errors.ts';
import type { Inputs } from '../work.ts';
import { allOf, type Portion, type Portions } from './portions.ts';
import {
  endRound,
  findRound,
  isOpen,
  type RoundInput,
  type RoundPlace,
  sweepRounds,
  voidRound,
} from './round-end.ts';
import { RoundGone } from './round.ts';
import { TornListing } from './listing-file.ts';
import { type Part, takePart } from './take-part.ts';

export interface ShareOptions {
  /** The folder of the index. */
  readonly index: string;
  readonly inputs: Inputs;
  /** The command's name for ever, this run's name in it, its place among how many. */
  readonly team: { readonly name: string; readonly me: string; readonly rank: number; readonly size: number };
  /** Who shows no sign of life for so long has left what it had claimed to the others. */
  readonly takeoverMs: number;
  readonly warn: (line: string) => void;
}

/** Disposing it without `leave` leaves its claims to the others. */
export interface Share extends AsyncDisposable {
  /** `over`: the others have done everything. */
  readonly state: 'open' | 'over';
  readonly portions: Portions;
  /**
   * To be called when all that this run wrote may be merged by another.
   *
   * @returns `merge` for the one that ends the round, and for one that the others had given up
   */
  leave(outcome: 'finished' | 'stopped', signal: AbortSignal): Promise<'merge' | 'leave'>;
}

export async function openShare(options: ShareOptions): Promise<Share> {
  const { index, inputs, team } = options;
  const rounds = join(index, 'sharing');
  const where = { rounds, inputs: inputs.inputs, command: team.name, me: team.me };
  try {
    if ((await findRound(where)) === undefined) return { ...alone(inputs), state: 'over', leave: leaves };
    void sweepRounds(rounds).catch(() => undefined); // it is only tidiness
  } catch (error) {
    options.warn(noSharing(error));
    return alone(inputs);
  }
  return makeShare(where, options);
}

const leaves = (): Promise<'leave'> => Promise.resolve('leave');

const alone = (inputs: Inputs): Share => ({
  state: 'open',
  portions: allOf(inputs, () => undefined),
  leave: () => Promise.resolve('merge'),
  [Symbol.asyncDispose]: () => Promise.resolve(),
});

const noSharing = (error: unknown): string =>
  `The work is not shared with the other tasks, this one does all of it: ${messageOf(error)}`;

/** Of the files of the round; not of the inputs, and no fault of the program. */
const isOfTheDisk = (error: unknown): boolean =>
  ['disk-full', 'preflight'].includes(codeOf(error) ?? '') || isErrno(error);

const isErrno = (error: unknown): boolean => error instanceof Error && 'errno' in error && 'syscall' in error;

/** A round that is taken away under us is begun anew; not for ever. */
const mostRounds = 5;

/** What this run is in the round. */
type Standing =
  | { readonly is: 'outside' }
  | { readonly is: 'member'; readonly place: RoundPlace; readonly part: Part }
  /** The others have ended the round, or begun it anew, without this run. */
  | { readonly is: 'given-up' }
  /** Nothing could be shared. */
  | { readonly is: 'alone' };

function makeShare(where: RoundInput, options: ShareOptions): Share {
  const { inputs, team } = options;
  const count = Promise.withResolvers<number | null>();
  let standing: Standing = { is: 'outside' };
  const leavePart = async (): Promise<void> => {
    if (standing.is !== 'member') return;
    await using part = standing.part;
    await part.round.end('left').catch(() => undefined); // where it cannot be told, its counter stands still
  };

  async function* read(signal: AbortSignal): AsyncGenerator<Portion, void, undefined> {
    try {
      yield* inRounds(signal);
    } catch (error) {
      if (!isOfTheDisk(error)) throw error;
      options.warn(noSharing(error));
      await leavePart();
      standing = { is: 'alone' };
      yield* allOf(inputs, () => undefined).read(signal);
    } finally {
      count.resolve(null);
    }
  }

  async function* inRounds(signal: AbortSignal): AsyncGenerator<Portion, void, undefined> {
    for (let nth = 1; nth <= mostRounds; nth++) {
      const place = await findRound(where);
      if (place === undefined) return;
      try {
        const part = await takePart(place.folder, {
          ...options,
          onListed: ({ items, hasRows }) => count.resolve(hasRows ? null : Math.ceil(items / team.size)),
        });
        standing = { is: 'member', place, part };
        if (await isOpen(place)) {
          yield* part.portions(signal);
          return;
        }
        await leavePart(); // it was ended while this run joined
        standing = { is: 'outside' };
      } catch (error) {
        if (error instanceof TornListing) await voidRound(place);
        else if (!(error instanceof RoundGone)) throw error;
        await leavePart();
        standing = { is: 'given-up' };
      }
    }
    throw new RagError('preflight', `its folder was taken away ${mostRounds} times`);
  }

  return {
    state: 'open',
    portions: { read, count: () => count.promise },
    leave: async (outcome, signal) => {
      const was = standing;
      standing = { is: 'outside' };
      if (was.is === 'outside') return 'leave';
      if (was.is === 'member') return leaveRound(was, outcome, signal).catch(() => 'merge' as const);
      return outcome === 'finished' ? 'merge' : 'leave';
    },
    [Symbol.asyncDispose]: leavePart,
  };
}

type Member = Extract<Standing, { is: 'member' }>;

/**
 * Says that it leaves before it looks who is left. Who is missed by the one that ends the round finds its folder
 * gone, and merges what it wrote itself.
 */
async function leaveRound(
  { place, part: given }: Member,
  outcome: 'finished' | 'stopped',
  signal: AbortSignal,
): Promise<'merge' | 'leave'> {
  await using part = given;
  const { round } = part;
  const told = await round.end(outcome === 'finished' ? 'finished' : 'left').catch(() => 'gone');
  if (outcome === 'stopped') return 'leave';
  if (told === 'gone') return 'merge';
  if (!(await endRound(place, await round.members()))) return 'leave';
  await part.untilAlone(signal).catch(() => undefined);
  await round.close();
  return 'merge';
}
