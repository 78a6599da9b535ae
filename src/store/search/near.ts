import type { Table } from '@lancedb/lancedb';
import { readRecord } from '../write/record.ts';
import { readResident, type Resident } from './resident.ts';
import { readTuning, untuned, type Tuning } from '../vector-index/tuning.ts';
import type { EncoderRecord, VectorIndexFigures } from '../types.ts';
import { vectorIndexState } from '../vector-index/vector-index.ts';

/** How main is searched at one version. */
export interface Near {
  /** Undefined: its vectors have no index. */
  readonly tuning: Tuning | undefined;
  /** Undefined while it is read, and where main is too large for it. */
  readonly resident: () => Resident | undefined;
}

export interface CurrentNear {
  of(main: Table | undefined): Promise<Near>;
  /** By what the index was made. It is written once, and every question needs it. */
  encoder(): Promise<EncoderRecord | null>;
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
  let reading = new AbortController();
  const begin = (main: Table, record: EncoderRecord): Promise<Near> => {
    reading.abort();
    reading = new AbortController();
    return readNear(root, main, record, reading.signal);
  };
  let recorded: EncoderRecord | null = null;
  const encoder = async (): Promise<EncoderRecord | null> => (recorded ??= await readRecord(root));
  return {
    of: async (main) => {
      const record = await encoder();
      if (main === undefined || record === null) return rowByRow;
      const version = await main.version();
      if (kept?.version !== version) kept = { version, near: begin(main, record) };
      return kept.near.catch((error: unknown) => {
        kept = undefined;
        throw error;
      });
    },
    encoder,
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

async function readNear(
  root: string,
  main: Table,
  encoder: EncoderRecord,
  signal: AbortSignal,
): Promise<Near> {
  const index = encoder.dimensions > 0 ? await vectorIndexState(main) : undefined;
  const tuning = index && ((await readTuning(root)) ?? untuned(index.indexed));
  let resident: Resident | undefined;
  const wanted = { vectors: tuning?.search === 'compressed', words: true };
  void readResident(main, encoder, wanted, signal).then(
    (read) => (resident = read),
    // Files that another process has cleaned up: the table is read as it is, until its next version.
    () => undefined,
  );
  return { tuning, resident: () => resident };
}
