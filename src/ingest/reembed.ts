/** New vectors for passages that an index holds already: ask the new index what is known -> embed -> commit. */
import { messageOf } from '../errors.ts';
import { type Digests, digestOf, holds, makeDigestList, sortDigests } from '../store/digest.ts';
import type { Store } from '../store/types.ts';
import type { IngestProgress, IngestReport } from '../work.ts';
import { commitRest } from './commit-rest.ts';
import type { BareRow } from './chunk-rows.ts';
import { embedBatches } from './embed-batches.ts';
import type { EmbedOnce } from './embed-once.ts';
import { setAside } from './fresh-rows.ts';
import { freshPassages } from './import/fresh.ts';
import type { Document } from './import/parts.ts';
import { counting, makeTally } from './tally.ts';
import { makeRowWriter } from './writer.ts';

export interface ReembedStages {
  readonly store: Pick<Store, 'known' | 'append' | 'recordFailures' | 'inspect' | 'selectNamed' | 'remove'>;
  readonly embedOnce: EmbedOnce;
  readonly embedders: number;
  readonly onProgress?: ((progress: IngestProgress) => void) | undefined;
  /** Aborting it drains, as in an ingest. */
  readonly signal: AbortSignal;
}

/** @param total how many documents will come. @throws disk-full, model-refused, model-unavailable */
export async function reembed(
  documents: AsyncIterable<readonly Document[]>,
  total: number,
  { store, embedOnce, embedders, onProgress, signal }: ReembedStages,
): Promise<IngestReport> {
  const started = performance.now();
  const tally = makeTally(onProgress);
  tally.total(total);
  const writer = makeRowWriter(store, counting(tally));
  const met = makeDigestList();
  const rows = async function* (): AsyncGenerator<BareRow> {
    const noted = noting(documents, (document) => met.add(digestOf(document)));
    for await (const { row } of freshPassages(noted, { store, tally, writer })) yield row;
  };
  const complete = await commitRest(writer, signal, async () => {
    for await (const batch of embedBatches(rows(), { embedOnce, embedders }, signal)) {
      tally.embedded(batch.rows, batch.texts);
      for (const row of batch.rows) await writer.add(row);
      for (const { row, error } of batch.refused) {
        if (!writer.drop(row)) continue; // another of its passages was refused before
        const { document, hash, file } = row;
        const failure = { document, hash, file, state: 'failed', reason: messageOf(error) } as const;
        await setAside(failure, { writer, tally });
      }
    }
  });
  const report = tally.report();
  const removed = complete ? await removeOthers(store, sortDigests(met.slice()), report.documents.failed) : 0;
  return { ...report, removed, complete, seconds: (performance.now() - started) / 1000 };
}

async function* noting(
  documents: AsyncIterable<readonly Document[]>,
  note: (document: string) => void,
): AsyncGenerator<readonly Document[]> {
  for await (const some of documents) {
    for (const one of some)
      if (one !== 'repeated' && 'rows' in one && one.rows[0] !== undefined) note(one.rows[0].document);
    yield some;
  }
}

/** What an earlier try brought over and the old index has lost since: hardly ever anything. @returns how many */
async function removeOthers(
  store: Pick<Store, 'inspect' | 'selectNamed' | 'remove'>,
  met: Digests,
  failed: number,
): Promise<number> {
  const { documents } = await store.inspect();
  if (documents.processed + failed <= met.length) return 0;
  const all = await store.selectNamed({ keys: [], files: ['/'] });
  const others = all.map(({ document }) => document).filter((document) => !holds(met, digestOf(document)));
  await store.remove(others);
  return others.length;
}
