import { load } from '../config/load.ts';
import { RagError } from '../errors.ts';
import { inspectIndex } from '../job/inspect.ts';
import type { Inspection } from '../store/types.ts';
import { jsonFlag, type Verb } from './verb.ts';

export const indexVerb: Verb = {
  summary: 'The index: `index inspect` counts what is committed, also while an ingest runs.',
  usage: 'index inspect [--json] [--working-dir DIR]',
  examples: ['node dist/supervisor.js index inspect --json'],
  words: 'action',
  settings: ['paths'],
  flags: { json: jsonFlag },
  async run({ line, environment, print, signal }) {
    const action = line.positionals[0];
    if (action !== 'inspect') {
      throw new RagError(
        'usage',
        `Cannot do "index${action === undefined ? '' : ` ${action}`}": only index inspect is supported so far`,
        {
          hint: 'node dist/supervisor.js index inspect',
        },
      );
    }
    const { settings } = load({ flags: line.settings, environment, file: line.values['config'] });
    const inspection = await inspectIndex(settings.RAG_WORKING_DIR, environment, signal);
    print(
      line.switches.has('json')
        ? JSON.stringify(inspection)
        : inspectionText(inspection, settings.RAG_WORKING_DIR),
    );
    return 0;
  },
};

const inspectionText = (
  { documents, chunks, embedding, shards, bytes }: Inspection,
  folder: string,
): string =>
  [
    `index      ${folder}`,
    `documents  ${documents.processed} processed, ${documents.failed} failed, ${documents.needs_ocr} without text`,
    `chunks     ${chunks}`,
    `embedding  ${embedding === null ? 'none yet' : `${embedding.model}, ${embedding.dimensions} dimensions, ${embedding.type}`}`,
    `shards     ${shards} not merged`,
    `size       ${(bytes / 1_048_576).toFixed(1)} MiB`,
  ].join('\n');
