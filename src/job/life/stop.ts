/** Asks a supervisor to stop, wherever it runs, and waits until it has. */
import { stat } from 'node:fs/promises';
import { parseOwner, lifeOf } from '../../disk/owner.ts';
import { RagError } from '../../errors.ts';
import { readSupervisors, type SupervisorRecord } from '../../services/state-file.ts';
import { type CommandOptions, runSlurm } from '../../slurm/command.ts';
import { pause } from '../../supervise/pause.ts';
import { nameStop } from './stop-reason.ts';

/**
 * By its pid where that is provably its own, else through Slurm: the batch script's process where that is the
 * supervisor, else the step that it is a task of. A shell above a step ignores TERM and passes nothing on.
 *
 * @returns what was done
 * @throws no-input, preflight when neither way is open
 */
export async function askToStop(
  { name, state, uid }: SupervisorRecord,
  options: CommandOptions,
): Promise<string> {
  const owner = parseOwner(JSON.stringify(state['owner']));
  if (owner !== undefined && lifeOf(owner) === 'alive') {
    if ((await ownerOf(owner.pid)) !== uid) throw notItsOwn(name, owner.pid);
    process.kill(owner.pid, 'SIGTERM');
    return `${name}: TERM was sent to process ${owner.pid}`;
  }
  const job = String(state['job']);
  if (job.startsWith('local-')) throw elsewhere(name, String(state['node']));
  const step = typeof state['step'] === 'string' ? state['step'] : undefined;
  const target = step === undefined ? ['--batch', '--signal=TERM', job] : ['--signal=TERM', step];
  const answer = await runSlurm('scancel', target, options);
  if (answer.outcome !== 'answered' || answer.stderr.trim() !== '')
    throw new RagError(
      'preflight',
      `Cannot stop ${name}: ${answer.outcome === 'answered' ? answer.stderr.trim() : answer.reason}`,
      { hint: `scancel ${job}` },
    );
  return `${name}: TERM was sent through Slurm${step === undefined ? '' : ` to all of ${step}`}`;
}

const ownerOf = (pid: number): Promise<number | undefined> =>
  stat(`/proc/${pid}`).then(
    (found) => found.uid,
    () => undefined,
  );

/** Whoever may write into the folder could name any process of ours there. */
const notItsOwn = (name: string, pid: number): RagError =>
  new RagError(
    'preflight',
    `Cannot stop ${name}: its state file was written by another user than runs process ${pid}, one of its own is wanted`,
    { hint: `ps -o user,pid,args -p ${pid}` },
  );

const elsewhere = (name: string, node: string): RagError =>
  new RagError(
    'preflight',
    `Cannot stop ${name}: it is no job of Slurm and runs on ${node}, this is another machine`,
    {
      hint: `ssh ${node} node dist/supervisor.js stop ${name}`,
    },
  );

const lookEveryMs = 500;

/**
 * A stop takes as long as what is open; the user may stop waiting.
 * @throws aborted, also when it runs still after the bound
 */
export async function untilStopped(
  folder: string,
  { name, state }: Pick<SupervisorRecord, 'name' | 'state'>,
  { signal, boundMs }: { readonly signal: AbortSignal; readonly boundMs: number },
): Promise<SupervisorRecord> {
  const deadline = performance.now() + boundMs;
  for (;;) {
    const found = (await readSupervisors(folder, new Date())).find((each) => each.name === name);
    if (found !== undefined && found.presence !== 'running') return found;
    if (performance.now() > deadline)
      throw new RagError(
        'aborted',
        `Cannot see the end of ${name}: it runs still after ${Math.round(boundMs / 1000)} s, an end was wanted`,
        { hint: `node dist/supervisor.js status ${name}; scancel ${String(state['job'])}` },
      );
    if ((await pause(lookEveryMs, signal)) === 'aborted')
      throw new RagError(
        'aborted',
        `Cannot wait for the end of ${name}: ${nameStop(signal.reason)}; it goes on stopping`,
      );
  }
}
