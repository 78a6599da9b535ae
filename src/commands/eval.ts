/** How good is retrieval, stage by stage, and are the answers right? */
import { load } from '../config/load.ts';
import { RagError } from '../errors.ts';
import { depthFor, makeResults } from '../job/eval/results.ts';
import { checkPlaces, writeEvaluation, writeRun } from '../job/eval/record.ts';
import { settingsInForce } from '../job/eval/settings.ts';
import { evaluationText } from '../observe/evaluation.ts';
import { readCollection, readRun } from '../query/eval/collection.ts';
import { measureHere } from './eval-here.ts';
import { hereFlag } from './here.ts';
import { filterFlag, jsonFlag, type Verb, type VerbInput } from './verb.ts';
import { version } from '../version.ts';

export const evalVerb: Verb = {
  summary: 'Measures retrieval stage by stage, and answers, with a test collection.',
  usage: 'eval DIR [--json] [--out FOLDER] [--run FILE] [--qrels FILE] [--topk N] [--filter NAME=VALUE]...',
  examples: [
    'node dist/supervisor.js eval collections/pubmedqa-l --out results/',
    'node dist/supervisor.js eval beir/scifact --run bm25.trec   # measures that run, starts nothing',
    'node dist/supervisor.js eval nq/test.jsonl --use-index --working-dir /data/index',
  ],
  words: 'collection',
  settings: ['paths', 'ollama', 'encoder', 'retrieval', 'reranker'],
  flags: {
    json: jsonFlag,
    run: { kind: 'value', meaning: 'Measure this TREC run; without --here it alone.' },
    here: { ...hereFlag, meaning: 'With --run: measure the own stages too.' },
    out: { kind: 'value', meaning: 'Keep results, runs, answers and a manifest in this folder.' },
    'run-out': { kind: 'value', meaning: 'Write the run of the last stage to this file.' },
    qrels: { kind: 'value', meaning: 'Judgements, TREC or BEIR. Default: those beside the questions.' },
    'use-index': { kind: 'switch', meaning: 'Ask the index in force; by default the corpus gets its own.' },
    filter: filterFlag,
    seed: { kind: 'value', meaning: 'Of the intervals and tests (1).' },
  },
  async run(input) {
    const { line, environment, print } = input;
    const { path, seed } = readGiven(input);
    const { run, qrels, out, 'run-out': runOut, config } = line.values;
    const { settings } = load({ flags: line.settings, environment, file: config });
    const collection = await readCollection({ path, qrels });
    const given = run === undefined ? undefined : { file: run, run: await readRun(run, collection) };
    await checkPlaces(out, runOut);
    const own =
      given === undefined || line.switches.has('here')
        ? await measureHere(input, collection, depthFor(settings.RAG_TOPK))
        : undefined;
    const { record, runs, text } = await makeResults({
      collection,
      given,
      own,
      seed,
      topk: settings.RAG_TOPK,
      settings: settingsInForce(settings),
      version: version(),
      now: new Date(),
    });
    const last = [...runs].at(-1);
    if (runOut !== undefined && last !== undefined) await writeRun(runOut, ...last);
    if (out !== undefined) await writeEvaluation(out, { record, runs, answers: own?.answers ?? [] });
    print(line.switches.has('json') ? JSON.stringify(record) : evaluationText({ ...record, ...text }));
    return 0;
  },
};

/** @throws usage */
function readGiven({ line }: VerbInput): { path: string; seed: number } {
  const [path, ...more] = line.positionals;
  const hint = 'node dist/supervisor.js eval DIR --json';
  if (path === undefined || more.length > 0)
    throw new RagError(
      'usage',
      'Cannot evaluate: one test collection is wanted, a folder or a file of questions',
      { hint },
    );
  const { seed = '1' } = line.values;
  if (!/^\d{1,9}$/u.test(seed))
    throw new RagError('usage', `Cannot evaluate with --seed ${seed}: a whole number is wanted`, {
      hint: `${hint} --seed 1`,
    });
  return { path, seed: Number(seed) };
}
