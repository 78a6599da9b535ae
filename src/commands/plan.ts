import { load } from '../config/load.ts';
import { modelWarnings } from '../job/prepare/check-models.ts';
import { forecast } from '../job/prepare/forecast.ts';
import { makeIntent, workOf } from '../job/prepare/intent.ts';
import { whenText } from '../job/life/layouts.ts';
import { type LoadTime, loadText, readLoadTimes } from '../job/prepare/load-time.ts';
import { fitPlan } from '../job/prepare/memory.ts';
import { planFor } from '../job/prepare/plan-for.ts';
import { readAssumedGpus } from '../plan/assume.ts';
import { corpusText } from '../plan/corpus.ts';
import { type MemoryLine, memoryText } from '../plan/memory.ts';
import type { Plan } from '../plan/types.ts';
import type { Paint } from '../observe/paint.ts';
import { type Column, tableLines } from '../observe/table.ts';
import { hanging } from '../observe/width.ts';
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
  async run({ line, environment, signal, print, tell, paint, columns }) {
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
    const fitted = await fitPlan(
      (embedders) =>
        planFor(settings, environment, job, intent, { elsewhere: assumed !== undefined, embedders }),
      { settings, environment, assumed: assumed?.sizes, work: workOf(intent), signal },
    );
    // A driver that was not waited for has said nothing of its cards.
    signal.throwIfAborted();
    const { memory } = fitted;
    const sized = new Set(memory.map(({ model }) => model));
    const ofModels = await modelWarnings(fitted.plan, settings, sized);
    const plan = { ...fitted.plan, warnings: [...fitted.plan.warnings, ...ofModels] };
    for (const warning of [...warnings, ...ofMode]) tell(`warning: ${warning}`);
    const loads = await readLoadTimes(plan, settings.OLLAMA_MODELS);
    const path = line.values['corpus'];
    const corpus = path === undefined ? null : await forecast(path, { plan, settings, job, signal });
    const view = { memory, loads, columns: columns ?? Infinity, paint: paint.out };
    print(
      line.switches.has('json')
        ? JSON.stringify({ ...plan, memory, loads, ...(corpus && { corpus }) })
        : [...planLines(plan, view), ...(corpus === null ? [] : corpusText(corpus))].join('\n'),
    );
    return 0;
  },
};

const listed = (gpus: readonly string[]): string => (gpus.length === 0 ? 'none' : gpus.join(','));

const instanceColumns: readonly Column[] = [
  { title: 'service' },
  { title: 'model', flexible: true },
  { title: 'GPUs', flexible: true },
  { title: '', flexible: true },
];

interface PlanView {
  readonly memory: readonly MemoryLine[];
  readonly loads: readonly LoadTime[];
  /** Infinity: no terminal reads it. */
  readonly columns: number;
  readonly paint: Paint;
}

function planLines(plan: Plan, { memory, loads, columns, paint }: PlanView): string[] {
  const { gpus, slices, instances, engine, reranker, warnings } = plan;
  const sentence = (text: string, isWarning: boolean): string[] =>
    hanging(isWarning ? `warning: ${text}` : text, 0, columns).map((line) =>
      isWarning ? paint('warn', line) : line,
    );
  const row = (each: Plan['instances'][number]): string[] => [
    each.id,
    each.model,
    listed(each.gpus),
    whenText(each).replace(/^, /, ''),
  ];
  return [
    `GPUs       ${listed(gpus)}`,
    `Ollama     ${listed(slices.ollama)}`,
    `reranker   ${listed(slices.reranker)} (${reranker})`,
    ...(slices.retriever.length === 0 ? [] : [`retriever  ${listed(slices.retriever)}`]),
    ...(slices.parser.length === 0 ? [] : [`parser     ${listed(slices.parser)}`]),
    `engine     ${engine}`,
    '',
    ...tableLines(instanceColumns, instances.map(row), { width: columns, paint }),
    '',
    ...memory.flatMap((line) => sentence(memoryText(line), line.fits === false)),
    ...loads.flatMap((load) => sentence(loadText(load), false)),
    ...warnings.flatMap((warning) => sentence(warning, true)),
  ];
}
