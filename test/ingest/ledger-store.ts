/** A store in memory that keeps what an ingest asks of it: which documents are done, with which content. */
import { RagError } from '../../src/errors.ts';
import type { IngestParts } from '../../src/ingest/ingest.ts';
import type { Embed } from '../../src/models/types.ts';
import { makeCorpusDigest } from '../../src/store/digest.ts';
import type { FailureRow } from '../../src/store/types.ts';

export interface LedgerStore {
  readonly store: IngestParts['store'];
  /** Content's hash by document. */
  readonly done: Map<string, string>;
  readonly failures: FailureRow[];
}

export function openLedgerStore(): LedgerStore {
  const done = new Map<string, string>();
  const failures: FailureRow[] = [];
  return {
    done,
    failures,
    store: {
      known: async (keys) =>
        new Map(keys.map((key) => [key, { done: done.get(key) ?? null, committed: [] }])),
      corpusState: async (corpus) => {
        const digest = makeCorpusDigest();
        for (const [document, hash] of done)
          if (document.startsWith(`${corpus}#`)) digest.add({ document, hash });
        return digest.state();
      },
      append: async (rows) => {
        for (const { ordinal, document, hash } of rows) if (ordinal === 0) done.set(document, hash);
        return [];
      },
      vectorsOf: async () => new Map(),
      selectUnmet: async () => [],
      remove: async () => undefined,
      recordFailures: async (rows) => void failures.push(...rows),
    },
  };
}

/** Embeds nothing really, and tells which texts it was sent. */
export function openCountingEmbed(): { readonly embed: Embed; readonly sent: string[] } {
  const sent: string[] = [];
  const embed: Embed = async ({ texts, signal }) => {
    if (signal.aborted) throw new RagError('aborted', 'Cannot embed: stopped');
    sent.push(...texts);
    return texts.map(() => new Float32Array([1, 0]));
  };
  return { embed, sent };
}
