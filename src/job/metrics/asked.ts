/** Metrics whose values are asked when Prometheus asks. */
import type { Gauge, Registry } from 'prom-client';
import type { RetrievalFigures } from '../../query/cache.ts';
import type { Samples } from '../picture/samples.ts';
import type { StatusInput, SupervisorStatus } from '../shown/status.ts';

export type Library = typeof import('prom-client');

export interface Sources {
  readonly version: string;
  readonly status: () => SupervisorStatus;
  readonly ingested: () => StatusInput['progress'];
  readonly samples: Pick<Samples, 'counts' | 'past' | 'gpus'>;
  readonly retrievals: () => RetrievalFigures;
  /** Requests under way at the model servers. */
  readonly queue: () => number;
}

/** Null: not known now, and left out. */
export type Value = readonly [labels: Readonly<Record<string, string>>, value: number | null];

/** One without labels. */
export const only = (value: () => number | null) => (): readonly Value[] => [[{}, value()]];

/** @param labels names of all labels that a value may have */
type Add = (name: string, help: string, labels: string[], values: () => readonly Value[]) => void;

export interface Asked {
  readonly gauge: Add;
  /** The values only grow. */
  readonly counter: Add;
}

export function makeAsked({ Counter, Gauge }: Library, registry: Registry): Asked {
  const add =
    (Kind: typeof Gauge): Add =>
    (name, help, labelNames, values) => {
      registry.registerMetric(
        new Kind({
          name,
          help,
          labelNames,
          registers: [],
          collect(this: Gauge) {
            this.reset();
            // One without labels would stand at 0 from now on.
            if (labelNames.length === 0) this.remove();
            for (const [labels, value] of values()) if (value !== null) this.inc(labels, value);
          },
        }),
      );
    };
  // The library's counter is made anew from what was counted elsewhere: it is set back and raised at every question.
  return { gauge: add(Gauge), counter: add(Counter as unknown as typeof Gauge) };
}
