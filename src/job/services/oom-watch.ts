/** Says when a service that was started again had been killed by the kernel because the job was out of memory. */
import type { Log } from '../../observe/log.ts';
import { readOomKills } from '../../machine/oom-kills.ts';
import type { ChildStatus } from '../../supervise/spec.ts';

export interface OomWatch {
  look(status: ChildStatus): Promise<void>;
}

/** A shell and the first process of a namespace tell of SIGKILL as code 137. */
const killed = /SIGKILL|\b137\b/;

/** @param read asks the kernel */
export async function openOomWatch(
  log: Log,
  read: () => Promise<number | null> = readOomKills,
): Promise<OomWatch> {
  let known = await read();
  return {
    look: async ({ id, current }) => {
      if (current.state !== 'restarting' || !killed.test(current.reason)) return;
      const now = await read();
      if (now === null || known === null || now <= known) return;
      known = now;
      log('warn', `${id} was killed because the job was out of memory: ask for more, #SBATCH --mem=...`);
    },
  };
}
