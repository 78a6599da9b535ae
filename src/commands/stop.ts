import { join } from 'node:path';

import { load } from '../config/load.ts';
import { RagError } from '../errors.ts';
import { askToStop, untilStopped } from '../job/stop.ts';
import { chooseSupervisor } from '../job/supervisors.ts';
import { jsonFlag, type Verb } from './verb.ts';

/** What a supervisor takes to close its services, beside what its work takes. */
const endingMs = 60_000;

export const stopVerb: Verb = {
  summary: 'Drains a running supervisor: what is open is committed, everything is stopped.',
  usage: 'stop [JOB] [--json]',
  examples: ['node dist/supervisor.js stop', 'node dist/supervisor.js stop 4711_2'],
  words: 'job',
  settings: ['paths'],
  flags: { json: jsonFlag },
  async run({ line, environment, signal, print, tell }) {
    const { settings } = load({ flags: line.settings, environment, file: line.values['config'] });
    const folder = join(settings.RAG_RUNTIME_STATE, 'supervisors');
    const { record } = await chooseSupervisor(folder, line.positionals[0]);
    if (record.presence !== 'running')
      throw new RagError('no-input', `Cannot stop ${record.name}: it has ended already`, {
        hint: `node dist/supervisor.js status ${record.name}`,
      });
    tell(await askToStop(record, { env: environment, timeoutMs: 10_000, signal }));
    const boundMs = settings.RAG_DRAIN_SECONDS * 1000 + endingMs;
    const ended = await untilStopped(folder, record, { signal, boundMs });
    const { outcome = null } = ended.state as { outcome?: { exit: number; reason: string } | null };
    print(
      line.switches.has('json')
        ? JSON.stringify({ job: record.name, outcome })
        : `${record.name}: ${outcome === null ? 'gone, without saying why' : `ended with ${outcome.exit}, ${outcome.reason}`}`,
    );
    return 0;
  },
};
