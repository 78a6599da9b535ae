/**
 * The further encoders of a fusion (rrf4): each has an index of its own below the first, which holds the words too. A chunk
 * has the same id in all of them, so that their rankings can be fused.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Settings } from '../../config/settings.ts';
import { RagError } from '../../errors.ts';
import type { Embed } from '../../models/types.ts';
import { openStore } from '../../store/wire/client.ts';
import { checkEncoder } from '../../store/write/encoder.ts';
import type { EncoderRecord, Store } from '../../store/types.ts';
import type { IngestReport, Work } from '../../work.ts';
import { makeEncoding, makeUntilEncoder, type EncodingInput, type ServedEncoder } from './encoder.ts';
import { untilChannel } from '../services/ready-children.ts';
import { makeRetriever } from '../prepare/retriever.ts';

const below = 'encoders';

/** Where vectors of one encoder are, and what makes them. */
export interface DenseIndex {
  /** Of the encoder, as the user names it. */
  readonly name: string;
  readonly folder: string;
  readonly store: Store;
  readonly embed: Embed;
  readonly untilEncoder: (signal: AbortSignal) => Promise<ServedEncoder>;
}

export interface FurtherIndexes extends AsyncDisposable {
  readonly indexes: readonly DenseIndex[];
}

/** Those that a run has beside its index: the encoder's name, the id of its store host and its folder. */
export function furtherOf(
  settings: Pick<Settings, 'RAG_RETRIEVER' | 'RAG_WORKING_DIR' | 'RAG_INDEX_VERSION'>,
): { readonly name: string; readonly id: string; readonly folder: string }[] {
  return makeRetriever(settings)
    .encoders.slice(1)
    .map((word) => {
      const [name = word] = word.split('=');
      return { name, id: `store-${name}`, folder: join(settings.RAG_WORKING_DIR, below, name) };
    });
}

/** Those that an index has on disk, whatever the settings of today say. */
export async function foldersOfFurther(index: string): Promise<string[]> {
  const entries = await readdir(join(index, below), { withFileTypes: true }).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return [];
      throw error;
    },
  );
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(index, below, name));
}

export interface FurtherInput extends Omit<EncodingInput, 'name' | 'settings'> {
  readonly settings: Settings;
}

export function openFurther(input: FurtherInput): FurtherIndexes {
  const { settings, tree, signal } = input;
  const opened = furtherOf(settings).map(({ name, id, folder }) => {
    const untilEncoder = makeUntilEncoder({ ...input, name });
    const store = openStore({ untilChannel: (wait) => untilChannel(tree, id, wait), signal });
    return { name, folder, store, untilEncoder, embed: makeEncoding({ ...input, untilEncoder }) };
  });
  return {
    indexes: opened,
    [Symbol.asyncDispose]: async () => {
      for (const { store } of opened) await store[Symbol.asyncDispose]();
    },
  };
}

/** What is found may change with any of them. */
export const withAllVersions = (store: Store, others: readonly Pick<Store, 'version'>[]): Store =>
  others.length === 0
    ? store
    : {
        ...store,
        version: async () => (await Promise.all([store, ...others].map((each) => each.version()))).join(' '),
      };

/**
 * A ranking of nothing would change the fusion and be seen by nobody.
 * @throws no-input, index-mismatch
 */
export async function checkFurther(
  { name, folder, store }: DenseIndex,
  inForce: (signal: AbortSignal) => Promise<EncoderRecord>,
  signal: AbortSignal,
): Promise<void> {
  const recorded = await store.encoder();
  if (recorded === null) throw notRead(name, folder);
  checkEncoder(recorded, { ...(await inForce(signal)), chunker: recorded.chunker });
}

const notRead = (name: string, folder: string): RagError =>
  new RagError(
    'no-input',
    `Cannot fuse the ranking of ${name}: it has read nothing, an index in ${folder} is wanted`,
    {
      hint: 'node dist/supervisor.js ingest --here --retriever rrf4 PATH   # reads what is missing, and nothing else',
    },
  );

/**
 * One after the other, each of which has its own record of what is done: a run that was stopped goes on in the index
 * where it was.
 *
 * @returns of documents the most that one of them had to do
 */
export const ingestEach =
  ([first, ...others]: readonly [Work['ingest'], ...Work['ingest'][]]): Work['ingest'] =>
  async (request) => {
    let sum = await first(request);
    for (const ingest of others) {
      if (!sum.complete) break;
      sum = joined(sum, await ingest(request));
    }
    return sum;
  };

function joined(a: IngestReport, b: IngestReport): IngestReport {
  const told = new Set(a.failures.map(({ document }) => document));
  return {
    documents: {
      processed: Math.max(a.documents.processed, b.documents.processed),
      unchanged: Math.min(a.documents.unchanged, b.documents.unchanged),
      failed: Math.max(a.documents.failed, b.documents.failed),
      needs_ocr: Math.max(a.documents.needs_ocr, b.documents.needs_ocr),
    },
    removed: Math.max(a.removed, b.removed),
    chunks: Math.max(a.chunks, b.chunks),
    embedded: a.embedded + b.embedded,
    failures: [...a.failures, ...b.failures.filter(({ document }) => !told.has(document))],
    seconds: a.seconds + b.seconds,
    complete: b.complete,
  };
}
