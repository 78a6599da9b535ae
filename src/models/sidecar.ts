/** Requests to Python children that rerank and encode, one child per GPU: to whichever has the least work. */
import { setTimeout as sleep } from 'node:timers/promises';
import { RagError } from '../errors.ts';
import { openLane, type Lane, type Reply, type SidecarChannel } from './sidecar-lane.ts';

/** A child that is ready. Its channel is another one after a restart. */
export interface SidecarChild {
  readonly id: string;
  readonly channel: SidecarChannel;
}

export interface SidecarsOptions {
  /** Those that are ready now, in the order of the plan. */
  readonly ready: () => readonly SidecarChild[];
  /** Resolves when one may be ready; called only by requests that wait. */
  readonly untilReady: (signal: AbortSignal) => Promise<void>;
  /**
   * A child with work under way that answers nothing for so long is given up, and started again: no forward pass can
   * be cancelled.
   */
  readonly stallMs?: number;
}

/** A frame without its id. `op` and what belongs to it: the head of scripts/sidecar.py. */
export type SidecarFrame = { readonly op: string } & Readonly<Record<string, unknown>>;

export interface SidecarAsk {
  readonly frame: SidecarFrame;
  /** Some measure of its work, in any unit that all requests of a run share: characters of text. */
  readonly weight: number;
  /** When no child is ready: `wait` for one, or `fail` at once. */
  readonly ifNone: 'wait' | 'fail';
  readonly signal: AbortSignal;
}

export interface Sidecars {
  /** Work under way to each child that is ready, in the order of the plan. */
  loads(): readonly number[];
  /**
   * The answer, which has no error in it. Sent once more when the child ends with the request in its hands: once may
   * be chance, twice may be the request.
   *
   * @param lane position in `loads()`; the least loaded where none is given
   * @throws model-unavailable, model-refused (a bad request, or out of memory at its smallest), aborted
   */
  ask(ask: SidecarAsk, lane?: number): Promise<Readonly<Record<string, unknown>>>;
}

/** Until a dead child is known to be dead. */
const offerMs = 20;
/** The longest forward pass is seconds on a GPU. */
const defaultStallMs = 120_000;

export function makeSidecars({ ready, untilReady, stallMs = defaultStallMs }: SidecarsOptions): Sidecars {
  const known = new WeakMap<SidecarChannel, Lane>();
  let last = 0;
  const laneOf = ({ id, channel }: SidecarChild): Lane => {
    const lane = known.get(channel) ?? openLane(id, channel, stallMs);
    known.set(channel, lane);
    return lane;
  };
  /** A pipe closes before its child is known to be dead: until then it is offered as ready. */
  const lanes = (): Lane[] =>
    ready()
      .map(laneOf)
      .filter((lane) => lane.isOpen());
  const pick = (wanted?: number): Lane | undefined => {
    const open = lanes();
    return open[wanted ?? -1] ?? leastLoaded(open);
  };
  const wait = async ({ ifNone, signal }: SidecarAsk): Promise<Lane> => {
    if (ifNone === 'fail') throw unavailable('none is ready');
    for (;;) {
      await untilReady(signal);
      const lane = pick();
      if (lane !== undefined) return lane;
      await sleep(offerMs, undefined, { signal });
    }
  };
  /** One after another: two at once would end a child twice, and the innocent one of them be set aside as well. */
  let suspects: Promise<unknown> = Promise.resolve();
  const suspect = (again: () => Promise<Reply>): Promise<Reply> => {
    const mine = suspects.then(again);
    suspects = mine.catch(() => undefined);
    return mine;
  };
  return {
    loads: () => lanes().map((lane) => lane.load()),
    ask: async (ask, wanted) => {
      const frame = { id: (last += 1), ...ask.frame };
      // Not awaited where there is one: the next request must see this one's weight.
      const first = pick(wanted) ?? (await wait(ask));
      let reply = await first.exchange(frame, ask.weight, ask.signal);
      if (reply.outcome === 'closed')
        reply = await suspect(async () => {
          const second = pick() ?? (await wait(ask));
          return second.exchange(frame, ask.weight, ask.signal);
        });
      if (reply.outcome === 'answered') return withoutError(ask.frame.op, reply.message);
      if (reply.outcome === 'closed') throw unavailable('it ended twice during this request');
      throw new RagError('aborted', `Cannot ${ask.frame.op}: the request was cancelled`);
    },
  };
}

const leastLoaded = (lanes: readonly Lane[]): Lane | undefined =>
  lanes.reduce<Lane | undefined>(
    (best, lane) => (best === undefined || lane.load() < best.load() ? lane : best),
    undefined,
  );

const unavailable = (is: string): RagError =>
  new RagError('model-unavailable', `Cannot ask the Python child: ${is}, one that answers is wanted`);

function withoutError(
  op: string,
  message: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const error = message['error'] as { code?: unknown; message?: unknown } | undefined;
  if (error === undefined) return message;
  // What failed inside the library may work the next time; a request that is wrong or does not fit will not.
  const code = error.code === 'failed' ? 'model-unavailable' : 'model-refused';
  throw new RagError(code, `Cannot ${op}: the Python child says ${JSON.stringify(error.message ?? error)}`);
}
