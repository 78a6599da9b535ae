/** Asks a supervisor to stop, wherever it runs, and waits until it has. */
import { parseOwner, lifeOf } from '../disk/owner.ts';
import { messageOf, RagError } from '../errors.ts';
import { readSupervisors, type SupervisorRecord } from '../services/state-file.ts';
import { type CommandOptions, runSlurm } from '../slurm/command.ts';
import { pause } from '../supervise/pause.ts';

/**
 * By its pid where that is provably its own, else through Slurm, whose TERM goes to the batch script's process alone: the
 * supervisor drains and ends the job.
 *
 * @returns what was done
 * @throws no-input, preflight when neither way is open
 */
export async function askToStop({ name, state }: SupervisorRecord, options: CommandOptions): Promise<string> {
  const owner = parseOwner(JSON.stringify(state['owner']));
  if (owner !== undefined && lifeOf(owner) === 'alive') {
    process.kill(owner.pid, 'SIGTERM');
    return `${name}: TERM was sent to process ${owner.pid}`;
  }
  const job = String(state['job']);
  if (job.startsWith('local-')) throw elsewhere(name, String(state['node']));
  const answer = await runSlurm('scancel', ['--batch', '--signal=TERM', job], options);
  if (answer.outcome !== 'answered' || answer.stderr.trim() !== '')
    throw new RagError(
      'preflight',
      `Cannot stop ${name}: ${answer.outcome === 'answered' ? answer.stderr.trim() : answer.reason}`,
      { hint: `scancel ${job}` },
    );
  return `${name}: TERM was sent through Slurm`;
}

const elsewhere = (name: string, node: string): RagError =>
  new RagError(
    'preflight',
    `Cannot stop ${name}: it is no job of Slurm and runs on ${node}, this is another machine`,
    {
      hint: `ssh ${node} node dist/supervisor.js stop ${name}`,
    },
  );

const lookEveryMs = 500;

/** A stop takes as long as what is open; the user may stop waiting. @throws aborted */
export async function untilStopped(
  folder: string,
  { name }: Pick<SupervisorRecord, 'name'>,
  signal: AbortSignal,
): Promise<SupervisorRecord> {
  for (;;) {
    const found = (await readSupervisors(folder, new Date())).find((each) => each.name === name);
    if (found !== undefined && found.presence !== 'running') return found;
    if ((await pause(lookEveryMs, signal)) === 'aborted')
      throw new RagError(
        'aborted',
        `Cannot wait for the end of ${name}: ${messageOf(signal.reason)}; it goes on stopping`,
      );
  }
}
