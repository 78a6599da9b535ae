import { makeExitCode, makeSummary, outcomeText } from '../job/outcome.ts';
import { countsText } from '../observe/counts.ts';
import { failureLine } from '../observe/failures.ts';
import { withProgress } from '../observe/progress.ts';
import { hereFlag, withServicesHere } from './here.ts';
import { jsonFlag, type Verb } from './verb.ts';

export const ingestVerb: Verb = {
  summary: 'Reads documents into the index.',
  usage: 'ingest [PATH...]',
  examples: [
    'node dist/supervisor.js ingest --here papers/ notes.md',
    "node dist/supervisor.js ingest --here '@files.txt' --json",
    'node dist/supervisor.js ingest --here papers/ --prune',
    'node dist/supervisor.js ingest --here --corpus MedCorp --db-dir ~/MedRAG/corpus',
  ],
  words: 'paths',
  settings: ['paths', 'work', 'ollama', 'encoder'],
  flags: { json: jsonFlag, here: hereFlag },
  async run(input) {
    const { line, print, tell } = input;
    const given = [...line.positionals, ...(line.settings.RAG_INPUT_FILE?.split('\n') ?? [])];
    const paths = given.length === 0 ? {} : { RAG_INPUT_FILE: given.join('\n') };
    const settings = { ...line.settings, ...paths, RAG_WORKER_MODE: 'ingest' };
    return withServicesHere(
      input,
      { ...line, positionals: [], settings },
      async ({ work, prepared }, signal) => {
        const inputs = given.length === 0 ? prepared.intent.inputs : given;
        const report = await withProgress(input, (onProgress) => work.ingest({ inputs, onProgress, signal }));
        const done = { ingest: report, workLeft: !report.complete };
        const exit = makeExitCode(done, prepared.settings.RAG_MAX_FAILED);
        const summary = makeSummary(report, report.seconds, exit);
        print(line.switches.has('json') ? JSON.stringify(summary) : countsText(report));
        if (!line.switches.has('json'))
          for (const failure of report.failures) print(`  ${failureLine(failure)}`);
        if (exit !== 0) tell(outcomeText(exit, done));
        return exit;
      },
    );
  },
};
