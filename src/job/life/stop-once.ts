/** A second TERM ends a supervisor at once, work and all: so of several who stop it one sends it. */
import { unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { claimByLink, readIfThere, removeIfOwned } from '../../disk/atomic.ts';
import { parseOwner } from '../../disk/owner.ts';
import { readSupervisor, type SupervisorRecord } from '../../services/state-file.ts';
import type { CommandOptions } from '../../slurm/command.ts';
import { pause } from '../../supervise/pause.ts';
import { askToStop } from './stop.ts';

/** Between the signal and the state file that tells of it lies a second; of one who claimed and died, nobody heard. */
const heardMs = 5000;
const lookEveryMs = 250;

/**
 * @param folder of the state files
 * @returns what was done
 * @throws as `askToStop`
 */
export async function stopOnce(
  folder: string,
  record: SupervisorRecord,
  options: CommandOptions,
): Promise<string> {
  if (isStopping(record)) return already(record.name);
  const path = join(folder, `${record.name}.stop`);
  if ((await claim(path, record)) === 'claimed') return askToStop(record, options);
  for (let waited = 0; waited < heardMs; waited += lookEveryMs) {
    const now = await readSupervisor(join(folder, `${record.name}.json`), new Date());
    if (now === undefined || isStopping(now)) return already(record.name);
    if ((await pause(lookEveryMs, options.signal)) === 'aborted') break;
  }
  return askToStop(record, options);
}

/** To be called when it has ended: its name may be another one's some day. */
export const forgetStop = (folder: string, { name }: Pick<SupervisorRecord, 'name'>): Promise<void> =>
  unlink(join(folder, `${name}.stop`)).catch(() => undefined);

const isStopping = ({ presence, state }: SupervisorRecord): boolean =>
  presence !== 'running' || state['phase'] === 'draining';

const already = (name: string): string => `${name}: it is stopping already`;

/** Of the supervisor of that nonce, not of its name. Where nothing can be written everybody is the first. */
async function claim(path: string, { state }: SupervisorRecord): Promise<'claimed' | 'taken'> {
  const nonce = parseOwner(JSON.stringify(state['owner']))?.nonce ?? '';
  try {
    const found = await readIfThere(path);
    if (found === nonce) return 'taken';
    if (found !== undefined) await removeIfOwned(path, (content) => content === found);
    return await claimByLink(path, nonce);
  } catch {
    return 'claimed';
  }
}
