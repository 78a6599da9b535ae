import { join } from 'node:path';
import { load } from '../config/load.ts';
import { readIfThere } from '../disk/atomic.ts';
import { RagError } from '../errors.ts';
import { assertNotPinned, atVersion } from '../job/index/pinned.ts';
import { foldersOfFurther } from '../job/models/further.ts';
import { withIndex } from '../job/index/index-store.ts';
import type { Store } from '../store/types.ts';
import { compactIndex } from './index-compact.ts';
import { exportIndex } from './index-export.ts';
import { importIntoIndex } from './index-import.ts';
import { inspectIndex } from './index-inspect.ts';
import { reembedIndex } from './index-reembed.ts';
import { hereFlag } from './here.ts';
import { removeFromIndex, removeThroughSupervisor } from './index-remove.ts';
import { tagIndex } from './index-tag.ts';
import { verifyIndex } from './index-verify.ts';
import { jsonFlag, type Verb, type VerbInput } from './verb.ts';
import { whoWrites } from './where.ts';

/** What an action works with. It resolves with the exit code. */
export interface IndexInput {
  readonly store: Store;
  /** Of the index. */
  readonly folder: string;
  /** Does the same with each index of a further encoder (rrf4) below this one. */
  readonly furtherToo: (use: (store: Store) => Promise<void>) => Promise<void>;
  /** The words behind the action. */
  readonly words: readonly string[];
  readonly switches: ReadonlySet<string>;
  readonly json: boolean;
  readonly yes: boolean;
  readonly print: (text: string) => void;
}

type Action = (input: IndexInput) => Promise<number>;

/** They work on a version of the index as well. */
const readers: ReadonlyMap<string, Action> = new Map([
  ['inspect', inspectIndex],
  ['verify', verifyIndex],
  ['export', exportIndex],
]);

const writers: ReadonlyMap<string, Action> = new Map([
  ['compact', compactIndex],
  ['remove', removeFromIndex],
  ['tag', tagIndex],
]);

/** They need an encoder, which the others do without. */
const encoders: ReadonlyMap<string, (input: VerbInput, words: readonly string[]) => Promise<number>> =
  new Map([
    ['import', importIntoIndex],
    ['reembed', reembedIndex],
  ]);

export const indexVerb: Verb = {
  summary:
    'The index: inspect, verify, compact, remove documents, tag versions, export to files, import vectors, reembed.',
  usage:
    'index inspect|verify|compact|remove NAME...|tag [NAME]|export DIR|import [CORPUS]...|reembed [--json] [--working-dir DIR]',
  examples: [
    'node dist/supervisor.js index inspect --json',
    "node dist/supervisor.js index remove 'drafts/**' file:/data/old --yes",
    'node dist/supervisor.js index tag paper-1',
    'RAG_INDEX_VERSION=paper-1 node dist/supervisor.js retrieve --here "a question"',
    'node dist/supervisor.js index tag paper-1 --delete',
    'node dist/supervisor.js index export exported/',
    'node dist/supervisor.js index import corpus.jsonl --vectors e5_Flat.index',
    'node dist/supervisor.js index import --corpus MedCorp --db-dir ~/MedRAG/corpus --vectors ncbi/MedCPT-Query-Encoder',
    'node dist/supervisor.js index import exported/',
    'OLLAMA_EMBED_MODEL=bge-m3 node dist/supervisor.js index reembed',
  ],
  words: 'action',
  choices: [readers, writers, encoders].flatMap((some) => [...some.keys()]),
  settings: ['paths'],
  flags: {
    json: jsonFlag,
    here: hereFlag,
    yes: { kind: 'switch', meaning: 'remove: take out what is listed.' },
    list: { kind: 'switch', meaning: 'tag: show the names that there are.' },
    delete: { kind: 'switch', meaning: 'tag: delete the version of this name.' },
    vectors: {
      kind: 'value',
      meaning:
        "import: a .npy, emb_<method>.memmap, flat FAISS index, a folder with a .npy for each file, or MedRAG's name of a retriever. Default: what lies beside the corpus.",
    },
    dimensions: { kind: 'value', meaning: 'import: of a memmap, where they are not those of the encoder.' },
    replace: { kind: 'switch', meaning: 'reembed: keep no copy of the index as it was.' },
  },
  async run(input) {
    const { line, environment, print, signal } = input;
    const [name = '', ...words] = line.positionals;
    const action = readers.get(name) ?? writers.get(name);
    const encode = encoders.get(name);
    const { settings } = load({ flags: line.settings, environment, file: line.values['config'] });
    if (!readers.has(name)) assertNotPinned(settings, name);
    if (encode !== undefined) return encode(input, words);
    if (action === undefined) throw noSuchAction(name);
    const { RAG_WORKING_DIR: folder } = await atVersion(settings);
    const { switches } = line;
    const shown = { words, json: switches.has('json'), yes: switches.has('yes'), print };
    const who = name === 'remove' ? await whoWrites(input) : 'here';
    if (who !== 'here') {
      await using connection = who;
      return await removeThroughSupervisor(connection, { ...shown, signal });
    }
    if (readers.has(name)) await assertIndex(folder, name);
    const furtherToo: IndexInput['furtherToo'] = async (use) => {
      for (const each of await foldersOfFurther(folder)) await withIndex(each, environment, signal, use);
    };
    return withIndex(folder, environment, signal, (store) =>
      action({ store, folder, furtherToo, switches, ...shown }),
    );
  },
};

/** An empty one would look healthy. @throws no-input */
async function assertIndex(folder: string, action: string): Promise<void> {
  if ((await readIfThere(join(folder, 'index.json'))) !== undefined) return;
  throw new RagError(
    'no-input',
    `Cannot ${action}: there is no index in ${folder}, an ingested corpus is wanted`,
    {
      hint: 'node dist/supervisor.js config   # where RAG_WORKING_DIR comes from; or --working-dir DIR',
    },
  );
}

function noSuchAction(name: string): RagError {
  const names = [readers, writers, encoders].flatMap((some) => [...some.keys()]);
  const given = name === '' ? '' : ` ${name}`;
  return new RagError('usage', `Cannot do "index${given}": one of ${names.join(', ')} is wanted`, {
    hint: 'node dist/supervisor.js index inspect',
  });
}
