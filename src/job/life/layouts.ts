/** The one switch of a run whose generator has no room beside the embed servers: from ingesting to answering, never back. */
import { RagError } from '../../errors.ts';
import type { Flights } from '../../models/flights.ts';
import type { Log } from '../../observe/log.ts';
import { hasTwoLayouts } from '../../plan/layouts.ts';
import type { Layout, Plan } from '../../plan/types.ts';
import { pause } from '../../supervise/pause.ts';
import type { Tree } from '../../supervise/spec.ts';
import type { GpuMemory } from '../services/gpu-memory.ts';
import type { Served } from '../services/served.ts';
import type { Watch } from '../shown/watch.ts';

/** A plan with one layout answers from its start. */
export type LayoutState = 'ingest' | 'switching' | 'answering';

export interface Layouts {
  state(): LayoutState;
  /** Waits for something of the layout in force, and for the other's when they change meanwhile. */
  inForce<T>(wait: (layout: Layout) => Promise<T>): Promise<T>;
  /** Everything is ingested: resolves when the servers that answer are ready. @throws what a server failed with; aborted */
  toAnswering(signal: AbortSignal): Promise<void>;
}

export interface LayoutsInput {
  readonly plan: Pick<Plan, 'instances'>;
  readonly tree: Pick<Tree, 'start' | 'end' | 'untilReady'>;
  readonly served: Pick<Served, 'retire'>;
  readonly flights: Pick<Flights, 'traffic'>;
  readonly gpuMemory: Pick<GpuMemory, 'note' | 'untilEndedFree'>;
  readonly watch: Pick<Watch, 'phase'>;
  /** The servers that answer have been started. */
  readonly onStarted: () => Promise<void>;
  readonly log: Log;
}

export function makeLayouts(input: LayoutsInput): Layouts {
  let state: LayoutState = hasTwoLayouts(input.plan) ? 'ingest' : 'answering';
  let switched: Promise<void> | undefined;
  const layout = (): Layout => (state === 'ingest' ? 'ingest' : 'answering');
  const toAnswering = async (signal: AbortSignal): Promise<void> => {
    state = 'switching';
    await change(input, signal);
    state = 'answering';
    input.watch.phase('answering-begins');
  };
  return {
    state: () => state,
    inForce: async (wait) => {
      const first = layout();
      try {
        return await wait(first);
      } catch (error) {
        // It waited for servers that have left.
        if (first === layout()) throw error;
        return await wait(layout());
      }
    },
    // Whoever comes second waits for the first.
    toAnswering: async (signal) => {
      if (state !== 'answering') await (switched ??= toAnswering(signal));
    },
  };
}

async function change({ plan, tree, log, watch, ...of }: LayoutsInput, signal: AbortSignal): Promise<void> {
  const idsOf = (wanted: Layout): string[] =>
    plan.instances.flatMap(({ id, layout }) => (layout === wanted ? [id] : []));
  const [leaving, coming] = [idsOf('ingest'), idsOf('answering')];
  watch.phase('switch-begins');
  log('info', `everything is ingested: ${leaving.join(', ')} make room for ${coming.join(', ')}`);
  const urls = of.served.retire(leaving);
  await of.gpuMemory.note();
  await untilIdle(of.flights, urls, signal);
  goOn(signal);
  await tree.end(leaving);
  for (const { pid, mebibytes } of await of.gpuMemory.untilEndedFree(signal))
    log('warn', `process ${pid} has ended and still holds ${mebibytes ?? 'some'} MiB of GPU memory`);
  goOn(signal);
  tree.start(coming);
  await of.onStarted();
  await tree.untilReady(coming, signal);
}

/** Questions that are being embedded. What takes longer is cut off, and embedded again after the switch. */
const idleMs = 60_000;
const lookEveryMs = 50;

async function untilIdle(
  { traffic }: Pick<Flights, 'traffic'>,
  urls: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const deadline = performance.now() + idleMs;
  while (urls.some((url) => traffic(url).inFlight > 0) && performance.now() < deadline)
    if ((await pause(lookEveryMs, signal)) === 'aborted') return;
}

function goOn({ aborted, reason }: AbortSignal): void {
  if (aborted)
    throw new RagError('aborted', 'Cannot switch to answering: the run was stopped', { cause: reason });
}

/** For a line about an instance. */
export const whenText = ({ layout }: { readonly layout?: Layout | null | undefined }): string =>
  layout == null ? '' : layout === 'ingest' ? ', until all is ingested' : ', after the ingest';
