import { load } from '../config/load.ts';
import { RagError } from '../errors.ts';
import { withIndex } from '../job/index-store.ts';
import type { Store } from '../store/types.ts';
import { compactIndex } from './index-compact.ts';
import { inspectIndex } from './index-inspect.ts';
import { removeFromIndex } from './index-remove.ts';
import { verifyIndex } from './index-verify.ts';
import { jsonFlag, type Verb } from './verb.ts';

/** What an action works with. It resolves with the exit code. */
export interface IndexInput {
  readonly store: Store;
  /** Of the index. */
  readonly folder: string;
  /** The words behind the action. */
  readonly words: readonly string[];
  readonly json: boolean;
  readonly yes: boolean;
  readonly print: (text: string) => void;
}

const actions: Readonly<Record<string, (input: IndexInput) => Promise<number>>> = {
  inspect: inspectIndex,
  verify: verifyIndex,
  compact: compactIndex,
  remove: removeFromIndex,
};

export const indexVerb: Verb = {
  summary:
    'The index: inspect counts it, verify reads all of it, compact merges, remove takes documents out.',
  usage: 'index inspect|verify|compact|remove [KEY|GLOB|file:PATH]... [--yes] [--json] [--working-dir DIR]',
  examples: [
    'node dist/supervisor.js index inspect --json',
    "node dist/supervisor.js index remove 'drafts/**' file:/data/old --yes",
  ],
  words: 'action',
  settings: ['paths'],
  flags: { json: jsonFlag, yes: { kind: 'switch', meaning: 'Remove what is listed.' } },
  async run({ line, environment, print, signal }) {
    const [name = '', ...words] = line.positionals;
    const action = Object.hasOwn(actions, name) ? actions[name] : undefined;
    if (action === undefined) {
      throw new RagError(
        'usage',
        `Cannot do "index${name === '' ? '' : ` ${name}`}": one of ${Object.keys(actions).join(', ')} is wanted`,
        { hint: 'node dist/supervisor.js index inspect' },
      );
    }
    const { settings } = load({ flags: line.settings, environment, file: line.values['config'] });
    const folder = settings.RAG_WORKING_DIR;
    const { switches } = line;
    return withIndex(folder, environment, signal, (store) =>
      action({ store, folder, words, json: switches.has('json'), yes: switches.has('yes'), print }),
    );
  },
};
