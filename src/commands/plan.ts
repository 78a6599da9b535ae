import { load } from '../config/load.ts';
import { makeIntent } from '../job/intent.ts';
import { planFor } from '../job/plan-for.ts';
import type { Plan } from '../plan/types.ts';
import { readJob } from '../slurm/job.ts';
import { jsonFlag, type Verb } from './verb.ts';

export const planVerb: Verb = {
  summary: 'What `run` would do: GPUs, slices, instances. Changes nothing.',
  usage: 'plan [--json] [options of run]',
  examples: [
    'node dist/supervisor.js plan',
    'CUDA_VISIBLE_DEVICES=0,1,2,3 node dist/supervisor.js plan --json',
  ],
  settings: ['work', 'ollama', 'gpus'],
  flags: { json: jsonFlag, query: { kind: 'value', meaning: 'A question, as for run.' } },
  async run({ line, environment, print, tell }) {
    const { settings, warnings } = load({ flags: line.settings, environment, file: line.values['config'] });
    const job = readJob(environment);
    // Outside a job `plan` is asked about a service, not about the dry run.
    const { intent, warnings: ofMode } = makeIntent({
      settings,
      query: line.values['query'],
      insideJob: job.kind === 'slurm',
    });
    const plan = planFor(settings, environment, job, intent);
    for (const warning of [...warnings, ...ofMode]) tell(`warning: ${warning}`);
    print(line.switches.has('json') ? JSON.stringify(plan) : planText(plan));
    return 0;
  },
};

const listed = (gpus: readonly string[]): string => (gpus.length === 0 ? 'none' : gpus.join(','));

const planText = ({ gpus, slices, instances, engine, warnings }: Plan): string =>
  [
    `GPUs       ${listed(gpus)}`,
    `Ollama     ${listed(slices.ollama)}`,
    `reranker   ${listed(slices.reranker)}`,
    ...(slices.parser.length === 0 ? [] : [`parser     ${listed(slices.parser)}`]),
    `engine     ${engine}`,
    '',
    ...instances.map(
      (instance) => `${instance.id.padEnd(16)} ${instance.model.padEnd(22)} GPUs ${listed(instance.gpus)}`,
    ),
    ...warnings.map((warning) => `warning: ${warning}`),
  ].join('\n');
