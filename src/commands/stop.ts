import { join } from 'node:path';

import { load } from '../config/load.ts';
import { untilStopped } from '../job/life/stop.ts';
import { forgetStop, stopOnce } from '../job/life/stop-once.ts';
import { chooseSupervisor } from '../job/life/supervisors.ts';
import type { SupervisorRecord } from '../services/state-file.ts';
import { jsonFlag, type Verb, type VerbInput } from './verb.ts';

/** What a supervisor takes to close its services, beside what its work takes. */
const endingMs = 60_000;

export const stopVerb: Verb = {
  summary:
    'Drains a running supervisor: what is open is committed, everything is stopped. Done twice it is done once.',
  usage: 'stop [JOB] [--json]',
  examples: ['node dist/supervisor.js stop', 'node dist/supervisor.js stop 4711_2'],
  words: 'job',
  settings: ['paths'],
  flags: { json: jsonFlag },
  async run(input) {
    const { line, environment, print } = input;
    const { settings } = load({ flags: line.settings, environment, file: line.values['config'] });
    const folder = join(settings.RAG_RUNTIME_STATE, 'supervisors');
    const { record } = await chooseSupervisor(folder, line.positionals[0]);
    const isOver = record.presence !== 'running';
    const ended = isOver ? record : await stopRunning(folder, record, input, settings.RAG_DRAIN_SECONDS);
    const { outcome = null } = ended.state as { outcome?: { exit: number; reason: string } | null };
    const how =
      outcome === null ? 'gone, without saying why' : `ended with ${outcome.exit}, ${outcome.reason}`;
    print(
      line.switches.has('json')
        ? JSON.stringify({ job: record.name, outcome })
        : `${record.name}: ${isOver ? 'had stopped already, ' : ''}${how}`,
    );
    return 0;
  },
};

/** @throws preflight when it cannot be told to, aborted */
async function stopRunning(
  folder: string,
  record: SupervisorRecord,
  { environment, signal, tell }: VerbInput,
  drainSeconds: number,
): Promise<SupervisorRecord> {
  tell(await stopOnce(folder, record, { env: environment, timeoutMs: 10_000, signal }));
  const boundMs = drainSeconds * 1000 + endingMs;
  const ended = await untilStopped(folder, record, { signal, boundMs });
  await forgetStop(folder, record);
  return ended;
}
