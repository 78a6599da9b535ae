/** Ingests that clients have asked for: each goes on whether or not anybody listens. */
import { codeOf, toPlain } from '../../errors.ts';
import { countsText } from '../../observe/counts.ts';
import { logFailures } from '../../observe/failures.ts';
import { within } from '../../supervise/pause.ts';
import type { IngestOrder, IngestOrders, OrderState, OrderView } from '../../library.ts';
import type { IngestProgress, IngestReport } from '../../work.ts';
import { nothingDone } from '../index/ingest.ts';
import type { LocalLibrary } from './library.ts';

export interface OrdersInput {
  readonly library: Pick<LocalLibrary, 'ingest' | 'name'>;
  /** The end of the run: what is under way is drained. */
  readonly signal: AbortSignal;
  readonly log: (level: 'info' | 'warn' | 'error', line: string) => void;
}

export interface OpenOrders extends IngestOrders {
  /** Those that are not over. */
  open(): readonly { readonly id: string; readonly state: OrderState }[];
  /** Drains those that are not over, and waits until who listens has heard of it. */
  end(): Promise<void>;
}

/** Ended ones that can still be asked for: whose connection broke asks again within minutes. */
const kept = 100;

/** For the last line to those who listen. */
const hearingMs = 2000;

interface Order extends OrderView {
  readonly over: Promise<void>;
  /** Until nobody listens any more. */
  untilHeard(): Promise<void>;
}

export function openOrders({ library, signal, log }: OrdersInput): OpenOrders {
  const orders = new Map<string, Order>();
  const placing = new Map<string, Promise<Order>>();
  const isOver = (order: Order): boolean => isLast(order.current());
  const forgetOld = (): void => {
    const ended = [...orders.values()].filter(isOver);
    for (const { id } of ended.slice(0, Math.max(0, ended.length - kept))) orders.delete(id);
  };
  const begin = async (order: IngestOrder): Promise<Order> => {
    // On disk before anything else: what was acknowledged is ingested by the next run where this one ends.
    const uploads = await library.name(order.files ?? []);
    const cancelled = new AbortController();
    const { paths = { inputs: [] } } = order;
    const what = uploads.length > 0 ? `${uploads.length} uploads` : paths.inputs.join(', ');
    log('info', `ingest asked for by a client: ${what}`);
    const opened = startOrder(order.id, cancelled, (onProgress) => {
      const stop = AbortSignal.any([signal, cancelled.signal]);
      return library.ingest({ ...paths, uploads, beside: true, signal: stop, onProgress });
    });
    void opened.over.then(() => tell(opened.current(), log));
    return opened;
  };
  return {
    find: (id) => orders.get(id),
    place: async (order) => {
      const known = orders.get(order.id) ?? placing.get(order.id);
      if (known !== undefined) return known;
      const beginning = begin(order).finally(() => placing.delete(order.id));
      placing.set(order.id, beginning);
      const begun = await beginning;
      orders.set(order.id, begun);
      forgetOld();
      return begun;
    },
    open: () =>
      [...orders.values()]
        .filter((order) => !isOver(order))
        .map((order) => ({ id: order.id, state: order.current() })),
    end: async () => {
      await Promise.allSettled(placing.values());
      for (const order of orders.values()) order.cancel();
      await Promise.all([...orders.values()].map(({ over }) => over));
      await within(Promise.all([...orders.values()].map((order) => order.untilHeard())), hearingMs);
    },
  };
}

const isLast = ({ state }: OrderState): boolean => state === 'done' || state === 'failed';

function startOrder(
  id: string,
  cancelled: AbortController,
  work: (onProgress: (progress: IngestProgress) => void) => Promise<IngestReport>,
): Order {
  let state: OrderState = { state: 'waiting' };
  const listening = new Set<Promise<void>>();
  const over = work((progress) => (state = { state: 'running', progress })).then(
    (report) => void (state = { state: 'done', report }),
    // Its turn had not come: nothing of it is done.
    (error: unknown) =>
      void (state =
        codeOf(error) === 'aborted'
          ? { state: 'done', report: { ...nothingDone, complete: false } }
          : failed(error)),
  );
  return {
    id,
    over,
    current: () => state,
    cancel: () => cancelled.abort(),
    listen: () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      listening.add(promise);
      void promise.then(() => listening.delete(promise));
      return { [Symbol.dispose]: resolve };
    },
    untilHeard: async () => void (await Promise.all(listening)),
  };
}

const failed = (error: unknown): OrderState => ({ state: 'failed', error: toPlain(error) });

function tell(state: OrderState, log: OrdersInput['log']): void {
  if (state.state === 'failed') log('warn', `a client's ingest failed: ${state.error.message}`);
  if (state.state !== 'done') return;
  log(
    'info',
    `a client's ingest is ${state.report.complete ? 'done' : 'stopped'}: ${countsText(state.report)}`,
  );
  logFailures(state.report.failures, log);
}
