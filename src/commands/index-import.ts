import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

import { load } from '../config/load.ts';
import { RagError } from '../errors.ts';
import type { Comparison } from '../ingest/import/compare.ts';
import { assertKept } from '../job/prepare/trial.ts';
import { makeExitCode, makeSummary, outcomeText } from '../job/life/outcome.ts';
import { countsText } from '../observe/counts.ts';
import { failureLine } from '../observe/failures.ts';
import { withProgress } from '../observe/progress.ts';
import { withServicesHere } from './here.ts';
import type { VerbInput } from './verb.ts';

/** Passages with vectors that the encoder in force has made elsewhere. */
export async function importIntoIndex(input: VerbInput, words: readonly string[]): Promise<number> {
  const { line, print, tell } = input;
  const dimensions = wholeOf(line.values['dimensions']);
  if (words.length === 0) assertCorpus(input);
  const inputs = words.length === 0 ? {} : { RAG_INPUT_FILE: words.join('\n') };
  const settings = { ...line.settings, ...inputs, RAG_WORKER_MODE: 'ingest' };
  return withServicesHere(input, { ...line, positionals: [], settings }, async (open, signal) => {
    const { work, prepared } = open;
    assertKept(prepared, 'import vectors');
    const compared: Comparison[] = [];
    const report = await withProgress(input, (onProgress) =>
      work.importVectors({
        inputs: words.length === 0 ? prepared.intent.inputs : words,
        vectors: vectorsOf(line.values['vectors']),
        dimensions,
        onProgress,
        onCompared: (comparison) => void compared.push(comparison),
        signal,
      }),
    );
    const done = { ingest: report, workLeft: !report.complete };
    const exit = makeExitCode(done, prepared.settings.RAG_MAX_FAILED);
    if (line.switches.has('json'))
      print(JSON.stringify({ compared: compared[0], ...makeSummary(report, report.seconds, exit) }));
    else {
      print(`${compared.map(comparisonText).join('')}${countsText(report)}`);
      for (const failure of report.failures) print(`  ${failureLine(failure)}`);
    }
    if (exit !== 0) tell(outcomeText(exit, done, prepared.settings.RAG_MAX_FAILED));
    return exit;
  });
}

function assertCorpus({ line, environment }: VerbInput): void {
  const { settings } = load({ flags: line.settings, environment, file: line.values['config'] });
  if (settings.RAG_INPUT_FILE !== undefined || settings.RAG_CORPUS !== undefined) return;
  throw new RagError('usage', 'Cannot import vectors: no corpus is named, the passages belong to them', {
    hint: 'node dist/supervisor.js index import corpus.jsonl --vectors e5_Flat.index',
  });
}

const comparisonText = ({ compared, lowest, form }: Comparison): string =>
  `${compared} passages encoded again (${form}): likeness ${lowest.toFixed(4)} or more\n`;

/** A path as the user's shell sees it; a retriever's name as MedRAG says it stays what it is where there is no such path. */
const vectorsOf = (given: string | undefined): string | undefined =>
  given === undefined || !existsSync(given) ? given : resolve(given);

function wholeOf(given: string | undefined): number | undefined {
  if (given === undefined) return undefined;
  if (/^[1-9]\d{0,5}$/u.test(given)) return Number(given);
  throw new RagError('usage', `Cannot read --dimensions ${given}: a whole number is wanted`, {
    hint: '--dimensions 768',
  });
}
