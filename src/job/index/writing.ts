/** Whether an index is open for writing in this run, and by what. */
import type { EncoderRecord, Store } from '../../store/types.ts';

export interface Writing {
  /** What a killed run left is merged first: then one table with a key answers what is known. Waits for the embedder. */
  begin(signal: AbortSignal): Promise<void>;
  /** Begins where nobody has. */
  untilBegun(signal: AbortSignal): Promise<void>;
  /** For removals no embedder is needed. @returns false where there is no index */
  toRemove(): Promise<boolean>;
}

export interface WritingParts {
  readonly store: Store;
  /** Name of this run's shard. */
  readonly writer: string;
  readonly encoderInForce: (signal: AbortSignal) => Promise<EncoderRecord>;
}

export function makeWriting({ store, writer, encoderInForce }: WritingParts): Writing {
  let open: 'no' | 'to remove' | 'yes' = 'no';
  const begin = async (signal: AbortSignal): Promise<void> => {
    await store.consolidate(signal);
    await store.beginWriting(await encoderInForce(signal), writer);
    open = 'yes';
  };
  return {
    begin,
    untilBegun: async (signal) => {
      if (open !== 'yes') await begin(signal);
    },
    // An ingest may begin meanwhile. Then there are two writers of this run, and both their shards are its own.
    toRemove: async () => {
      if (open !== 'no') return true;
      const encoder = await store.encoder();
      if (encoder === null) return false;
      await store.beginWriting(encoder, writer);
      if (open === 'no') open = 'to remove';
      return true;
    },
  };
}
