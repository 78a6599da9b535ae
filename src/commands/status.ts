import { join } from 'node:path';

import type { CommandLine } from '../config/flags.ts';
import { load } from '../config/load.ts';
import { RagError } from '../errors.ts';
import { deviceText } from '../job/device.ts';
import { whenText } from '../job/layouts.ts';
import { exportLines, untilService } from '../job/service-env.ts';
import type { ContainmentName, SupervisorStatus } from '../job/status.ts';
import { chooseSupervisor } from '../job/supervisors.ts';
import { withoutControls } from '../observe/terminal.ts';
import type { SupervisorRecord } from '../services/state-file.ts';
import type { CommandOptions } from '../slurm/command.ts';
import { readJob } from '../slurm/job.ts';
import { type Fate, fateText, readFate } from '../slurm/fate.ts';
import { jsonFlag, type Verb } from './verb.ts';

export const statusVerb: Verb = {
  summary: 'What a supervisor does: services, GPUs, restarts, progress. Reads files, needs no port.',
  usage: 'status [JOB] [--json] | status [JOB] --env [--wait SECONDS]',
  examples: [
    'node dist/supervisor.js status',
    'node dist/supervisor.js status 4711 --json',
    'eval "$(node dist/supervisor.js status --env --wait 600)"   # the published service, for a shell',
  ],
  words: 'job',
  settings: ['paths'],
  flags: {
    json: jsonFlag,
    env: { kind: 'switch', meaning: 'Print the published service as lines of `export`, tokens and all.' },
    wait: { kind: 'value', meaning: 'With --env: how many seconds to wait until there is one.' },
  },
  async run({ line, environment, signal, print }) {
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
    const { record, others } = await chooseSupervisor(folder, line.positionals[0]);
    const fate = await readFateOf(record, { env: environment, timeoutMs: 10_000, signal });
    print(
      line.switches.has('json')
        ? JSON.stringify({ ...record.state, presence: record.presence, fate: fate ?? null, others })
        : [statusText(record, fate), ...others.map((name) => `beside it runs ${name}: status ${name}`)].join(
            '\n',
          ),
    );
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

/** What each cannot do, in words for a reader at 3 am. */
const gap: Readonly<Record<ContainmentName, string>> = {
  pidns: 'whatever is killed, nothing of Ollama is left; what sleeps uninterruptibly goes when it wakes',
  guard:
    'kill -9 of guard and supervisor at once leaves runners of Ollama until the job ends or starts again',
  'death-signal':
    'kill -9 of the supervisor and of Ollama together leaves its runners until the job ends or starts again',
  unknown: 'nothing has been started yet',
  none: 'kill -9 of the supervisor leaves its services until the job ends or starts again',
};

const reach: Readonly<Record<SupervisorStatus['network'], string>> = {
  private: 'nobody but this supervisor reaches Ollama',
  shared: 'other users of this node can reach Ollama on its loopback port; it asks nobody who he is',
  remote:
    'Ollama runs elsewhere (OLLAMA_HOST), and who reaches it there is decided there; the way to it is open to nobody else here',
};

/** Only who did not say himself how he ended is asked after. */
async function readFateOf(
  { presence, state }: SupervisorRecord,
  options: CommandOptions,
): Promise<Fate | undefined> {
  const job = String(state['job']);
  return presence === 'gone' && !job.startsWith('local-') ? readFate(job, options) : undefined;
}

function statusText({ state, presence }: SupervisorRecord, fate: Fate | undefined): string {
  const status = state as unknown as SupervisorStatus;
  const { progress, endpoint, services } = status;
  const lines = [
    `job ${status.job} on ${status.node}: ${presence === 'gone' ? `gone while ${status.phase}, without saying why` : status.phase}`,
    ...(fate === undefined ? [] : [fateText(fate)]),
    ...(status.outcome == null ? [] : [`ended with ${status.outcome.exit}: ${status.outcome.reason}`]),
    `containment ${status.containment}: ${gap[status.containment]}`,
    `network ${status.network}: ${reach[status.network]}`,
    ...(status.containment_reason === null ? [] : [`why not more: ${status.containment_reason}`]),
    ...(status.time_left_s === null ? [] : [`time left ${Math.floor(status.time_left_s / 60)} min`]),
    ...(endpoint.url === null ? [] : [`endpoint ${endpoint.url}`]),
    `documents ${progress.documents_done}${progress.documents_total === null ? '' : ` of ${progress.documents_total}`}`,
    '',
    'service          state       GPUs        restarts',
    ...services.flatMap(({ id, state: service, gpus, restarts, reason, layout, device }) => [
      `${id.padEnd(16)} ${service.padEnd(11)} ${(gpus.join(',') || '-').padEnd(11)} ${restarts}${reason === null ? '' : `  ${reason}`}${whenText({ layout })}`,
      // A state file of an older version has none.
      ...(device == null ? [] : [`  ${deviceText(device)}`]),
    ]),
    ...status.warnings.map((warning) => `warning: ${warning}`),
  ];
  return withoutControls(lines.join('\n'));
}
