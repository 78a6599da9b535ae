/** Supervisors by their state files, as `status` and `stop` find them. */
import { RagError } from '../errors.ts';
import { readSupervisors, type SupervisorRecord } from '../services/state-file.ts';

/**
 * The one that was named, else the newest that runs, else the newest.
 * @param job `4711`, `4711_2`, or either with `.node`
 * @throws no-input
 */
export async function chooseSupervisor(folder: string, job: string | undefined): Promise<SupervisorRecord> {
  const records = await readSupervisors(folder, new Date());
  const candidates =
    job === undefined ? records : records.filter(({ name }) => name === job || name.startsWith(`${job}.`));
  const chosen = candidates.find(({ presence }) => presence === 'running') ?? candidates[0];
  if (chosen !== undefined) return chosen;
  throw new RagError(
    'no-input',
    `Cannot find ${job === undefined ? 'a supervisor' : `job ${job}`}: there is no state file of it in ${folder}`,
    { hint: 'set RAG_RUNTIME_STATE as in the job, or look at: squeue -u $USER' },
  );
}
