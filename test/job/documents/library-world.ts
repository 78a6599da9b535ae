/** A library over a real store, with an embedder that can be held up. */
import assert from 'node:assert/strict';
import { mkdir, mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before } from 'node:test';
import type { Settings } from '../../../src/config/settings.ts';
import { openParserPool } from '../../../src/documents/pool.ts';
import type { ParserPool } from '../../../src/documents/types.ts';
import { RagError } from '../../../src/errors.ts';
import { openUploads } from '../../../src/ingest/uploads/uploads.ts';
import { makeIngest } from '../../../src/job/index/ingest.ts';
import { openOrders, type OpenOrders } from '../../../src/job/documents/ingest-orders.ts';
import { makeLeaving } from '../../../src/job/documents/leaving.ts';
import { type LocalLibrary, makeLibrary } from '../../../src/job/documents/library.ts';
import { makeRemoval } from '../../../src/job/documents/removal.ts';
import { makeTurns } from '../../../src/job/documents/turns.ts';
import { makeWriting } from '../../../src/job/index/writing.ts';
import type { Embed } from '../../../src/models/types.ts';
import type { IngestReport } from '../../../src/work.ts';
import { openForkedStore } from '../../store/forked-host.ts';
import { encoder, vectorOf } from '../../store/samples.ts';

const chunker = { targetTokens: 64, overlapTokens: 0 };
const never = new AbortController().signal;
let parser: ParserPool;
before(() => {
  parser = openParserPool({ threads: 1, chunker, maxFileBytes: 1e9, timeoutMsPerFile: 30_000 });
});
after(() => parser[Symbol.asyncDispose]());

export interface World extends AsyncDisposable {
  readonly folder: string;
  readonly library: LocalLibrary;
  readonly orders: OpenOrders;
  readonly said: readonly string[];
  send(name: string, text: string): Promise<unknown>;
  keep(text: string): Promise<{ hash: string; bytes: number }>;
  /** Ingests as a run does that is given a folder. */
  run(): Promise<IngestReport>;
  /** `id state chunks` of all, page by page. */
  list(limit?: number): Promise<string[]>;
  /** No text is embedded until it is called again. @returns how many texts wait */
  hold(): { waiting(): number; release(): void };
}

/** @param folder of an index that is there, for a run after another */
export async function open(folder?: string): Promise<World> {
  const own = folder === undefined ? await mkdtempDisposable(join(tmpdir(), 'rag-library-')) : undefined;
  const index = join(folder ?? own?.path ?? '', 'index');
  const forked = await openForkedStore(index);
  const { store } = forked;
  let gate: Promise<void> = Promise.resolve();
  let waiting = 0;
  const embed: Embed = async ({ texts, signal }) => {
    waiting += texts.length;
    await Promise.race([gate, new Promise((resolve) => signal.addEventListener('abort', resolve))]);
    waiting -= texts.length;
    if (signal.aborted) throw new RagError('aborted', 'Cannot embed: stopped');
    return texts.map((text) => vectorOf(text));
  };
  const said: string[] = [];
  const log = (_level: string, line: string): void => void said.push(line);
  const encoderInForce = () => Promise.resolve(encoder);
  const writer = `run-${process.pid}-${folder === undefined ? 1 : 2}`;
  const writing = makeWriting({ store, writer, encoderInForce });
  const settings = {
    RAG_WORKING_DIR: index,
    RAG_REHASH: false,
    RAG_PRUNE: false,
    RAG_CANDIDATES: 10,
  } as Settings;
  const reading = { settings, store, parser, embed, titled: false, embedders: 1, chunker };
  const leaving = makeLeaving();
  const room = {
    ...reading,
    store: leaving.guard(store),
    encoderInForce,
    writing,
    writer,
    team: undefined,
    log,
  };
  const turns = makeTurns();
  const uploads = openUploads(index, 0);
  const remove = makeRemoval([{ store, writing }], turns, leaving);
  const library = makeLibrary({ uploads, store, ingest: makeIngest(room), remove, turns, log });
  const keep: World['keep'] = (text) =>
    library.keep(
      (async function* () {
        yield Buffer.from(text);
      })(),
      { maxBytes: 1e6 },
    );
  const papers = join(folder ?? own?.path ?? '', 'papers');
  await mkdir(papers, { recursive: true });
  await writeFile(join(papers, 'paper.md'), 'A paper about turbines.\n');
  return {
    folder: folder ?? own?.path ?? '',
    library,
    orders: openOrders({ library, signal: never, log }),
    said,
    keep,
    send: async (name, text) => library.upload([{ name, ...(await keep(text)) }]),
    run: () => library.ingest({ inputs: [papers], signal: never }),
    list: async (limit = 100) => {
      const found: string[] = [];
      for (let after: string | undefined; ;) {
        const { documents, next } = await library.documents({ after, limit });
        found.push(...documents.map(({ id, state, chunks }) => `${id} ${state} ${chunks}`));
        if (next === null) return found;
        after = next;
      }
    },
    hold: () => {
      const held = Promise.withResolvers<void>();
      gate = held.promise;
      return { waiting: () => waiting, release: held.resolve };
    },
    [Symbol.asyncDispose]: async () => {
      await forked[Symbol.asyncDispose]();
      await own?.remove();
    },
  };
}

/** Serves until the work is done. */
export async function serving(world: World, work: () => Promise<void>): Promise<void> {
  const stop = new AbortController();
  const over = world.library.serve(0, stop.signal);
  await work();
  stop.abort();
  await over;
}

export const untilDone = async (world: World): Promise<void> => {
  for (let looks = 0; world.library.waiting() > 0; looks += 1) {
    assert.ok(looks < 1000, world.said.join('\n'));
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  await world.library.ingest({ inputs: [], uploads: [], signal: never });
};
