import { load } from '../config/load.ts';
import { RagError } from '../errors.ts';
import { assertNotPinned, atVersion } from '../job/pinned.ts';
import { withIndex } from '../job/index-store.ts';
import type { Store } from '../store/types.ts';
import { compactIndex } from './index-compact.ts';
import { exportIndex } from './index-export.ts';
import { inspectIndex } from './index-inspect.ts';
import { removeFromIndex } from './index-remove.ts';
import { tagIndex } from './index-tag.ts';
import { verifyIndex } from './index-verify.ts';
import { jsonFlag, type Verb } from './verb.ts';

/** What an action works with. It resolves with the exit code. */
export interface IndexInput {
  readonly store: Store;
  /** Of the index. */
  readonly folder: string;
  /** The words behind the action. */
  readonly words: readonly string[];
  readonly switches: ReadonlySet<string>;
  readonly json: boolean;
  readonly yes: boolean;
  readonly print: (text: string) => void;
}

type Action = (input: IndexInput) => Promise<number>;

/** They work on a version of the index as well. */
const readers: Readonly<Record<string, Action>> = {
  inspect: inspectIndex,
  verify: verifyIndex,
  export: exportIndex,
};

const writers: Readonly<Record<string, Action>> = {
  compact: compactIndex,
  remove: removeFromIndex,
  tag: tagIndex,
};

const actions = { ...readers, ...writers };

export const indexVerb: Verb = {
  summary:
    'The index: inspect counts it, verify reads all of it, compact merges, remove takes documents out, tag names a version, export writes files.',
  usage:
    'index inspect|verify|compact|remove [KEY|GLOB|file:PATH]...|tag [NAME]|export DIR [--yes] [--json] [--working-dir DIR]',
  examples: [
    'node dist/supervisor.js index inspect --json',
    "node dist/supervisor.js index remove 'drafts/**' file:/data/old --yes",
    'node dist/supervisor.js index tag paper-1',
    'RAG_INDEX_VERSION=paper-1 node dist/supervisor.js retrieve --here "a question"',
    'node dist/supervisor.js index tag paper-1 --delete',
    'node dist/supervisor.js index export exported/',
  ],
  words: 'action',
  settings: ['paths'],
  flags: {
    json: jsonFlag,
    yes: { kind: 'switch', meaning: 'remove: take out what is listed.' },
    list: { kind: 'switch', meaning: 'tag: show the names that there are.' },
    delete: { kind: 'switch', meaning: 'tag: delete the version of this name.' },
  },
  async run({ line, environment, print, signal }) {
    const [name = '', ...words] = line.positionals;
    const action = Object.hasOwn(actions, name) ? actions[name as keyof typeof actions] : undefined;
    if (action === undefined) {
      throw new RagError(
        'usage',
        `Cannot do "index${name === '' ? '' : ` ${name}`}": one of ${Object.keys(actions).join(', ')} is wanted`,
        { hint: 'node dist/supervisor.js index inspect' },
      );
    }
    const { settings } = load({ flags: line.settings, environment, file: line.values['config'] });
    if (Object.hasOwn(writers, name)) assertNotPinned(settings, name);
    const { RAG_WORKING_DIR: folder } = await atVersion(settings);
    const { switches } = line;
    return withIndex(folder, environment, signal, (store) =>
      action({ store, folder, words, switches, json: switches.has('json'), yes: switches.has('yes'), print }),
    );
  },
};
