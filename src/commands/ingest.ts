import type { Connection } from '../client/connection.ts';
import { load } from '../config/load.ts';
import { RagError } from '../errors.ts';
import { inputsOf, needed } from '../job/prepare/intent.ts';
import { withProgress } from '../observe/progress.ts';
import { hereFlag, withServicesHere } from './here.ts';
import { showIngest } from './ingest-shown.ts';
import { ingestThere, stopIngest } from './ingest-there.ts';
import { jsonFlag, type Verb, type VerbInput } from './verb.ts';
import { whoWorks, whoWrites } from './where.ts';

export const ingestVerb: Verb = {
  summary: 'Reads documents into the index: the running supervisor does it, else this process.',
  usage: 'ingest [PATH...] [--here] [--json], or ingest --stop ID',
  examples: [
    'node dist/supervisor.js ingest papers/ notes.md',
    "node dist/supervisor.js ingest --here '@files.txt' --json",
    'node dist/supervisor.js ingest papers/ --prune',
    'node dist/supervisor.js ingest --here --corpus MedCorp --db-dir ~/MedRAG/corpus',
  ],
  words: 'paths',
  settings: ['paths', 'work', 'ollama', 'encoder'],
  flags: {
    json: jsonFlag,
    here: hereFlag,
    stop: { kind: 'value', meaning: 'Stops what a supervisor ingests for a command that has left.' },
  },
  async run(input) {
    const { line, environment } = input;
    const { settings } = load({ flags: line.settings, environment, file: line.values['config'] });
    if ('stop' in line.values) {
      await using connection = notHere(await whoWorks(input));
      return await stopIngest(input, connection, settings);
    }
    const who = await whoWrites(input);
    const given = givenIn(input);
    if (who === 'here') return ingestHere(input, given);
    await using connection = who;
    const inputs = needed(given.length === 0 ? inputsOf(settings) : given);
    return await ingestThere({ input, connection, inputs, settings });
  },
};

const givenIn = ({ line }: VerbInput): string[] => [
  ...line.positionals,
  ...(line.settings.RAG_INPUT_FILE?.split('\n') ?? []),
];

async function ingestHere(input: VerbInput, given: readonly string[]): Promise<number> {
  const { line } = input;
  const paths = given.length === 0 ? {} : { RAG_INPUT_FILE: given.join('\n') };
  const settings = { ...line.settings, ...paths, RAG_WORKER_MODE: 'ingest' };
  return withServicesHere(
    input,
    { ...line, positionals: [], settings },
    async ({ work, prepared }, signal) => {
      const inputs = given.length === 0 ? prepared.intent.inputs : given;
      const report = await withProgress(input, (onProgress) => work.ingest({ inputs, onProgress, signal }));
      return showIngest(input, report, prepared.settings.RAG_MAX_FAILED);
    },
  );
}

/** @throws usage */
function notHere(who: Connection | 'here'): Connection {
  if (who !== 'here') return who;
  throw new RagError('no-input', 'Cannot stop an ingest: no supervisor runs that does one', {
    hint: 'node dist/supervisor.js status',
  });
}
