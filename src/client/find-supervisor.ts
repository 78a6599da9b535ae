/** The way to the supervisor that is published: over the network, or through a step of its job. */
import { join } from 'node:path';
import { readIfThere } from '../disk/atomic.ts';
import { whyUntrusted } from '../disk/trust.ts';
import { codeOf, RagError } from '../errors.ts';
import { parseServiceFile, type ServiceFile } from '../services/discovery.ts';
import { findService, nameOf } from '../services/find-service.ts';
import { readSupervisors } from '../services/state-file.ts';
import { siblingPath } from '../sibling.ts';
import { envForSrun, srunRefusalOf, srunInside } from '../slurm/inside.ts';
import { type Connection, openConnection } from './connection.ts';
import { NoTunnel, openTunnel } from './tunnel.ts';

export interface Wanted {
  /** RAG_RUNTIME_STATE */
  readonly folder: string;
  /** This node, by Slurm's name. */
  readonly node: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Told when it takes longer. */
  readonly tell: (line: string) => void;
}

/** A step is made within a second; a controller that is busy takes longer. */
const stepMs = 60_000;

/**
 * Disposing it closes the way.
 * @throws preflight when there is none, or no way to it
 */
export async function findSupervisor(wanted: Wanted, signal: AbortSignal): Promise<Connection> {
  const { folder, node, tell } = wanted;
  try {
    return await openConnection(await findService({ folder, node }, signal));
  } catch (error) {
    const inside = codeOf(error) === 'preflight' ? await jobOf(folder) : undefined;
    if (inside === undefined) throw error;
    tell(`${inside.name} is not reached from here: going into its job`);
    return await goInside(inside, wanted, signal);
  }
}

interface InsideJob {
  readonly job: string;
  readonly node: string;
  /** The supervisor's, on that node. */
  readonly socket: string;
  readonly name: string;
}

/** Undefined where there is none, none of Slurm's, or none that seems to live. */
async function jobOf(folder: string): Promise<InsideJob | undefined> {
  const path = join(folder, 'ollama_service.json');
  const file = parseServiceFile((await readIfThere(path)) ?? '');
  if (file?.node === undefined || !/^\d+$/.test(file.job_id)) return undefined;
  if ((await whyUntrusted(path)) !== undefined) return undefined;
  const socket = await socketOf(folder, file);
  return socket === undefined ? undefined : { job: file.job_id, node: file.node, socket, name: nameOf(file) };
}

/** As its state file tells; of two supervisors on one node by the process. */
async function socketOf(
  folder: string,
  { job, job_id: id, node, pid }: ServiceFile,
): Promise<string | undefined> {
  const records = await readSupervisors(join(folder, 'supervisors'), new Date());
  const found = records.find(
    ({ presence, state }) =>
      presence === 'running' &&
      state['job'] === (job ?? id) &&
      state['node'] === node &&
      state['pid'] === pid,
  );
  const endpoint = found?.state['endpoint'] as { socket?: unknown } | undefined;
  return typeof endpoint?.socket === 'string' ? endpoint.socket : undefined;
}

async function goInside(
  { job, node, socket, name }: InsideJob,
  { env }: Wanted,
  signal: AbortSignal,
): Promise<Connection> {
  const command = srunInside({ job, node, command: [process.execPath, relay, socket] });
  const tunnel = await openTunnel({ command, env: envForSrun(env), timeoutMs: stepMs, signal }).catch(
    (error: unknown) => {
      throw error instanceof NoTunnel ? noWay(name, error) : error;
    },
  );
  const connection = await openConnection({ socketPath: tunnel.socketPath, name });
  return {
    ...connection,
    [Symbol.asyncDispose]: async () => {
      await connection[Symbol.asyncDispose]();
      await tunnel[Symbol.asyncDispose]();
    },
  };
}

const relay = siblingPath(import.meta.url, 'relay');

/** A job that is over has published nothing: that is said as where there never was one. */
function noWay(name: string, { message, said }: NoTunnel): RagError {
  const why = srunRefusalOf(`${said}\n${message}`);
  if (why === 'over')
    return new RagError(
      'preflight',
      `Cannot use a published service: ${name} is over, a live one is wanted`,
      {
        hint: 'sbatch sbatch/rag_allinone.sbatch',
      },
    );
  const is = {
    'not-yet': 'it waits for its nodes again',
    'not-yours': 'it is of another user, whose jobs nobody else goes into',
    'no-srun': 'srun is not on PATH here',
    'no-room': 'Slurm makes no further step in it',
    other: 'srun failed',
  }[why];
  return new RagError('no-way', `Cannot go into ${name}: ${is} (${message.replace(/^srun: error: /, '')})`, {
    hint: 'RAG_BIND=node sbatch sbatch/rag_allinone.sbatch   # reached from other nodes; or add --here to work in this process',
  });
}
