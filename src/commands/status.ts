import { join } from 'node:path';

import type { CommandLine } from '../config/flags.ts';
import { load } from '../config/load.ts';
import { RagError } from '../errors.ts';
import { exportLines, untilService } from '../job/shown/service-env.ts';
import { chooseSupervisor, readFateOf } from '../job/life/supervisors.ts';
import { readFate, withoutSupervisorText } from '../slurm/fate.ts';
import { readJob } from '../slurm/job.ts';
import { lookJson, lookLines } from './status-text.ts';
import { watchStatus } from './status-watch.ts';
import { jsonFlag, usualColumns, type Verb } from './verb.ts';

export const statusVerb: Verb = {
  summary: 'What a supervisor does: services, GPUs, restarts, progress. Reads files, needs no port.',
  usage: 'status [JOB] [--json] [--watch] | status [JOB] --env [--wait SECONDS]',
  examples: [
    'node dist/supervisor.js status',
    'node dist/supervisor.js status 4711 --watch     # until the job has ended',
    'node dist/supervisor.js status 4711_2.node17 --json',
    'eval "$(node dist/supervisor.js status --env --wait 600)"   # the published service, for a shell',
  ],
  words: 'job',
  settings: ['paths'],
  flags: {
    json: jsonFlag,
    watch: { kind: 'switch', meaning: 'Show it again whenever it changes, until the job has ended.' },
    env: { kind: 'switch', meaning: 'Print the published service as lines of `export`, tokens and all.' },
    wait: { kind: 'value', meaning: 'With --env: how many seconds to wait until there is one.' },
  },
  endsWithReader: true,
  async run(input) {
    const { line, environment, signal, print } = input;
    const waitMs = readWait(line);
    const { settings } = load({ flags: line.settings, environment, file: line.values['config'] });
    if (line.switches.has('env')) {
      const [job] = line.positionals[0]?.split('.') ?? [];
      const wanted = { folder: settings.RAG_RUNTIME_STATE, node: readJob(environment).node, job };
      const service = await untilService(wanted, waitMs, signal);
      (await exportLines(service)).forEach(print);
      return 0;
    }
    const folder = join(settings.RAG_RUNTIME_STATE, 'supervisors');
    if (line.switches.has('watch')) return watchStatus(input, folder);
    const asking = { env: environment, timeoutMs: 10_000, signal };
    const [job] = line.positionals;
    const chosen = await chooseSupervisor(folder, job).catch(async (error: unknown) => {
      const known = job === undefined ? undefined : await readFate(job.split('.')[0] ?? '', asking);
      if (known === undefined || job === undefined) throw error;
      return { job, known };
    });
    if ('known' in chosen) {
      const { job: name, known } = chosen;
      print(
        line.switches.has('json')
          ? JSON.stringify({ job: name, slurm: known })
          : withoutSupervisorText(name, known),
      );
      return 0;
    }
    const fate = await readFateOf(chosen.record, asking);
    const look = { ...chosen, fate };
    const view = { columns: input.columns ?? usualColumns, paint: input.paint.out };
    print(line.switches.has('json') ? lookJson(look) : lookLines(look, view).join('\n'));
    return 0;
  },
};

/** @throws usage */
function readWait({ values, switches }: CommandLine): number {
  const { wait } = values;
  if (wait === undefined) return 0;
  const usage = (is: string, wanted: string): RagError =>
    new RagError('usage', `Cannot wait: ${is}, ${wanted} is wanted`, {
      hint: 'node dist/supervisor.js status --env --wait 600',
    });
  if (!switches.has('env')) throw usage('--wait stands without --env', 'a service to wait for');
  if (!/^\d{1,7}(?:\.\d+)?$/.test(wait)) throw usage(`--wait ${wait} is no number`, 'a number of seconds');
  return Number(wait) * 1000;
}
