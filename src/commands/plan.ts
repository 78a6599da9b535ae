import { load } from '../config/load.ts';
import { forecast } from '../job/forecast.ts';
import { makeIntent, workOf } from '../job/intent.ts';
import { whenText } from '../job/layouts.ts';
import { type LoadTime, loadText, readLoadTimes } from '../job/load-time.ts';
import { fitPlan } from '../job/memory.ts';
import { planFor } from '../job/plan-for.ts';
import { readAssumedGpus } from '../plan/assume.ts';
import { corpusText } from '../plan/corpus.ts';
import { type MemoryLine, memoryText } from '../plan/memory.ts';
import type { Plan } from '../plan/types.ts';
import { readJob } from '../slurm/job.ts';
import { jsonFlag, type Verb } from './verb.ts';

export const planVerb: Verb = {
  summary: 'What `run` would do: GPUs, slices, instances, memory. Changes nothing.',
  usage: 'plan [--assume-gpus 4x80GiB] [--corpus PATH] [--json] [options of run]',
  examples: [
    'node dist/supervisor.js plan',
    'CUDA_VISIBLE_DEVICES=0,1,2,3 node dist/supervisor.js plan --json',
    'node dist/supervisor.js plan --assume-gpus 2x80GiB   # before anything is submitted',
    'node dist/supervisor.js plan --corpus papers/        # chunks, bytes, hours',
  ],
  settings: ['work', 'ollama', 'reranker', 'gpus'],
  flags: {
    json: jsonFlag,
    query: { kind: 'value', meaning: 'A question, as for run.' },
    'assume-gpus': { kind: 'value', meaning: 'Plan for GPUs that are not here: number and size.' },
    corpus: { kind: 'value', meaning: 'A folder or file: what it will make of an index, by a sample of it.' },
  },
  async run({ line, environment, signal, print, tell }) {
    const { settings, warnings } = load({ flags: line.settings, environment, file: line.values['config'] });
    const asked = line.values['assume-gpus'];
    const assumed = asked === undefined ? undefined : readAssumedGpus(asked);
    const here = readJob(environment);
    const job = assumed === undefined ? here : { ...here, gpus: assumed.tokens };
    // Outside a job `plan` is asked about a service, not about the dry run.
    const { intent, warnings: ofMode } = makeIntent({
      settings,
      query: line.values['query'],
      workload: line.workload,
      insideJob: assumed !== undefined || job.kind === 'slurm',
    });
    const { plan, memory } = await fitPlan(
      (embedders) =>
        planFor(settings, environment, job, intent, { elsewhere: assumed !== undefined, embedders }),
      { settings, environment, assumed: assumed?.sizes, work: workOf(intent), signal },
    );
    for (const warning of [...warnings, ...ofMode]) tell(`warning: ${warning}`);
    const loads = await readLoadTimes(plan, settings.OLLAMA_MODELS);
    const path = line.values['corpus'];
    const corpus = path === undefined ? null : await forecast(path, { plan, settings, job, signal });
    print(
      line.switches.has('json')
        ? JSON.stringify({ ...plan, memory, loads, ...(corpus && { corpus }) })
        : [planText(plan, memory, loads), ...(corpus === null ? [] : corpusText(corpus))].join('\n'),
    );
    return 0;
  },
};

const listed = (gpus: readonly string[]): string => (gpus.length === 0 ? 'none' : gpus.join(','));

const planText = (
  { gpus, slices, instances, engine, reranker, warnings }: Plan,
  memory: readonly MemoryLine[],
  loads: readonly LoadTime[],
): string =>
  [
    `GPUs       ${listed(gpus)}`,
    `Ollama     ${listed(slices.ollama)}`,
    `reranker   ${listed(slices.reranker)} (${reranker})`,
    ...(slices.retriever.length === 0 ? [] : [`retriever  ${listed(slices.retriever)}`]),
    ...(slices.parser.length === 0 ? [] : [`parser     ${listed(slices.parser)}`]),
    `engine     ${engine}`,
    '',
    ...instances.map(
      (instance) =>
        `${instance.id.padEnd(16)} ${instance.model.padEnd(22)} GPUs ${listed(instance.gpus)}${whenText(instance)}`,
    ),
    '',
    ...memory.map((line) => `${line.fits === false ? 'warning: ' : ''}${memoryText(line)}`),
    ...loads.map(loadText),
    ...warnings.map((warning) => `warning: ${warning}`),
  ].join('\n');
