/** Supervisors by their state files, as `status` and `stop` find them. */
import { RagError } from '../../errors.ts';
import { readSupervisors, type SupervisorRecord } from '../../services/state-file.ts';
import type { CommandOptions } from '../../slurm/command.ts';
import { type Fate, readFate } from '../../slurm/fate.ts';

export interface Chosen {
  readonly record: SupervisorRecord;
  /** Names of the others that were meant and run: on other nodes of the job, or beside it on one. */
  readonly others: readonly string[];
}

/**
 * The one that was named, else the newest that runs, else the newest.
 * @param job `4711`, `4711_2`, or either with `.node`
 * @throws no-input
 */
export async function chooseSupervisor(folder: string, job: string | undefined): Promise<Chosen> {
  const records = await readSupervisors(folder, new Date());
  const candidates =
    job === undefined ? records : records.filter(({ name }) => name === job || name.startsWith(`${job}.`));
  const exact = candidates.find(({ name, presence }) => name === job && presence === 'running');
  const running = candidates.filter(({ presence }) => presence === 'running');
  const record = exact ?? running[0] ?? candidates[0];
  if (record !== undefined)
    return { record, others: running.flatMap((each) => (each === record ? [] : [each.name])).toSorted() };
  throw new RagError(
    'no-input',
    `Cannot find ${job === undefined ? 'a supervisor' : `job ${job}`}: there is no state file of it in ${folder}`,
    { hint: 'set RAG_RUNTIME_STATE as in the job, or look at: squeue -u $USER' },
  );
}

/** What Slurm says of a job that is gone without saying itself how it ended: only who is silent is asked after. */
export async function readFateOf(
  { presence, state }: SupervisorRecord,
  options: CommandOptions,
): Promise<Fate | undefined> {
  const job = String(state['job']);
  return presence === 'gone' && !job.startsWith('local-') ? readFate(job, options) : undefined;
}
