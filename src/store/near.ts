import type { Table } from '@lancedb/lancedb';
import { readResident, type Resident } from './resident.ts';
import { readTuning, untuned, type Tuning } from './tuning.ts';
import type { EncoderRecord, VectorIndexFigures } from './types.ts';
import { vectorIndexState } from './vector-index.ts';

/** How main is searched at one version. */
export interface Near {
  /** Undefined: it has no index. */
  readonly tuning: Tuning | undefined;
  /** Undefined while it is read, and where main is too large for it. */
  readonly resident: () => Resident | undefined;
}

export interface CurrentNear {
  of(main: Table | undefined, encoder: EncoderRecord | null): Promise<Near>;
  /** The tuning has changed. */
  forget(): void;
}

const rowByRow: Near = { tuning: undefined, resident: () => undefined };

/**
 * Kept as long as main is of one version, however often it is opened. The first question finds the tuning and begins
 * the reading into memory; it does not wait for that.
 */
export function keepNear(root: string): CurrentNear {
  let kept: { readonly version: number; readonly near: Promise<Near> } | undefined;
  return {
    of: async (main, encoder) => {
      if (main === undefined || encoder === null) return rowByRow;
      const version = await main.version();
      if (kept?.version !== version) kept = { version, near: readNear(root, main, encoder) };
      return kept.near.catch((error: unknown) => {
        kept = undefined;
        throw error;
      });
    },
    forget: () => (kept = undefined),
  };
}

/** Null without an index. */
export async function vectorIndexFigures(
  root: string,
  main: Table | undefined,
): Promise<VectorIndexFigures | null> {
  const state = main === undefined ? undefined : await vectorIndexState(main);
  if (state === undefined) return null;
  return { ...((await readTuning(root)) ?? untuned(state.indexed)), unindexed: state.tail };
}

async function readNear(root: string, main: Table, encoder: EncoderRecord): Promise<Near> {
  const index = encoder.dimensions > 0 ? await vectorIndexState(main) : undefined;
  if (index === undefined) return rowByRow;
  const tuning = (await readTuning(root)) ?? untuned(index.indexed);
  let resident: Resident | undefined;
  if (tuning.search === 'compressed')
    void readResident(main, encoder.dimensions, encoder.metric).then(
      (read) => (resident = read),
      // Files that another process has cleaned up: the table is read as it is, until its next version.
      () => undefined,
    );
  return { tuning, resident: () => resident };
}
