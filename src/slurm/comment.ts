import { type Answer, type CommandOptions, runSlurm } from './command.ts';
import { type Job, jobKey } from './job.ts';

/** Shows `text` in `squeue -o %k`, for all users of the cluster to see: never a token. */
export const writeComment = (job: Job, text: string, options: CommandOptions): Promise<Answer> =>
  runSlurm('scontrol', ['update', `JobId=${jobKey(job)}`, `Comment=${text}`], options);
