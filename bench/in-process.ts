/** The work itself in this process, on a real store host, with vectors that cost nothing. */
import { load } from '../src/config/load.ts';
import { openParserPool } from '../src/documents/pool.ts';
import { makeWork } from '../src/job/work.ts';
import type { Embed } from '../src/models/types.ts';
import type { Store } from '../src/store/types.ts';
import type { Work } from '../src/work.ts';
import { openForkedStore } from '../test/store/forked-host.ts';
import { makeRandom } from './corpus.ts';

export interface InProcess extends AsyncDisposable {
  readonly store: Store;
  readonly work: Work;
}

/** Directions that no two seeds share: neighbours are as far apart as they can be. */
function makeVector(seed: number, dimensions: number): Float32Array {
  const random = makeRandom(seed + 1);
  const values = Float32Array.from({ length: dimensions }, () => random() + random() + random() - 1.5);
  const norm = Math.hypot(...values);
  return values.map((value) => value / norm);
}

/**
 * @param folder of the index
 * @param vectorOf stands for the embedder
 */
export async function openInProcess(
  folder: string,
  dimensions: number,
  vectorOf = (text: string): Float32Array => makeVector(text.length, dimensions),
): Promise<InProcess> {
  const { settings } = load({ flags: {}, environment: {} });
  const { store, [Symbol.asyncDispose]: closeStore } = await openForkedStore(folder);
  const chunker = { targetTokens: settings.RAG_CHUNK_TOKENS, overlapTokens: settings.RAG_CHUNK_OVERLAP };
  const parser = openParserPool({ threads: 1, chunker, maxFileBytes: 2 ** 29, timeoutMsPerFile: 60_000 });
  const embed: Embed = async ({ texts }) => texts.map((text) => vectorOf(text));
  const encoder = { name: 'none', model: 'none', digest: 'none', dimensions, metric: 'cosine' } as const;
  const generate = (): never => {
    throw new Error('Nothing is generated here');
  };
  const models = { embed, titled: false, generate, rerank: undefined, generateModel: 'none', embedders: 1 };
  return {
    store,
    work: makeWork({
      settings,
      store,
      parser,
      chunker,
      models,
      writer: 'bench',
      untilEncoder: async () => encoder,
      team: undefined,
      log: () => undefined,
    }),
    async [Symbol.asyncDispose]() {
      await parser[Symbol.asyncDispose]();
      await closeStore();
    },
  };
}
