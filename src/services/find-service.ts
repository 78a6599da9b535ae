/** The service that a job of this user, or of his group, has published: found by its file, asked whether it lives. */
import { join } from 'node:path';
import { readIfThere } from '../disk/atomic.ts';
import { readToken } from '../disk/read-token.ts';
import { whyUntrusted } from '../disk/trust.ts';
import { isSameMachine } from '../disk/owner.ts';
import { messageOf, RagError } from '../errors.ts';
import { parseServiceFile, type ServiceFile } from './discovery.ts';
import { askForProof } from './proven-connection.ts';

export interface FoundService {
  /** `http://HOST:PORT` */
  readonly url: string;
  /** Undefined for one that was named by address: nobody says that it wants one. */
  readonly tokenFile: string | undefined;
  /** Of the token that stands in an address. */
  readonly urlTokenFile?: string | undefined;
  /** Names it for people. */
  readonly name: string;
}

export interface Wanted {
  /** RAG_RUNTIME_STATE */
  readonly folder: string;
  /** This node, by Slurm's name. */
  readonly node: string;
  /** The service of this job and no other: `4711` or `4711_2`. */
  readonly job?: string | undefined;
}

const timeoutMs = 10_000;

/**
 * @throws preflight when there is none, when it cannot be reached from this node, when its token cannot be read, or when
 * nobody proves to be it
 */
export async function findService({ folder, node, job }: Wanted, signal: AbortSignal): Promise<FoundService> {
  const path = join(folder, 'ollama_service.json');
  const text = await readIfThere(path);
  if (text === undefined) throw notPublished(`there is no ${path}`);
  const why = await whyUntrusted(path);
  if (why !== undefined) throw notTrusted(why, folder);
  const file = parseServiceFile(text);
  if (file === undefined || !URL.canParse(urlOf(file))) throw notPublished(`${path} is no endpoint file`);
  const name = nameOf(file);
  if (job !== undefined && !isOf(file, job))
    throw notPublished(`${path} is of ${name}`, undefined, `one of job ${job}`);
  if (listensElsewhere(file, node)) throw outOfReach(name);
  if (file.token_file === undefined) throw notPublished(`${path} names no token file, ${name} is too old`);
  const token = await readToken(file.token_file).catch((cause: unknown) => {
    throw new RagError('preflight', `Cannot use ${name}: its token cannot be read (${messageOf(cause)})`, {
      hint: `ls -l ${file.token_file}   # another user shares it with RAG_SHARE_GROUP`,
      cause,
    });
  });
  const url = urlOf(file);
  await proves({ url, token, name }, signal);
  return { url, tokenFile: file.token_file, urlTokenFile: file.url_token_file, name };
}

export const urlOf = (file: ServiceFile): string => file.url ?? `http://${file.host}:${file.port}`;

/** For people. */
export const nameOf = ({ job_id, node, host }: ServiceFile): string => `job ${job_id} on ${node ?? host}`;

const isOf = ({ job, job_id: id, task }: ServiceFile, wanted: string): boolean =>
  [job, id, task == null ? undefined : `${id}_${task}`].includes(wanted);

/**
 * A loopback address names no machine. Whoever has that port on this one could pass our question on to the right one,
 * and its proof back.
 */
export function listensElsewhere(file: ServiceFile, node: string): boolean {
  if (!/^(?:127\.|localhost$|\[::1\]$)/.test(new URL(urlOf(file)).hostname)) return false;
  const isHere = file.owner === undefined ? undefined : isSameMachine(file.owner);
  return !(isHere ?? (file.node === undefined || file.node === node));
}

/** Its proof would be that of whoever has put it there. */
const notTrusted = (why: string, folder: string): RagError =>
  new RagError(
    'preflight',
    `Cannot trust the service that is published there: ${why}, a folder that only you or your group may write in is wanted`,
    { hint: `chmod -R o-w ${folder}   # or another RAG_RUNTIME_STATE, for the job as well` },
  );

/** Before the token is shown: the port may be another program's by now. */
async function proves(
  { url, token, name }: { readonly url: string; readonly token: string; readonly name: string },
  signal: AbortSignal,
): Promise<void> {
  const bounded = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  const proof = await askForProof(url, token, bounded).catch((cause: unknown) => {
    signal.throwIfAborted();
    throw notPublished(`${name} does not answer at ${url} (${messageOf(cause)})`, cause);
  });
  if (proof === 'another') throw notPublished(`what answers at ${url} is not ${name}: that one is gone`);
}

const notPublished = (is: string, cause?: unknown, wanted = 'a live one'): RagError =>
  new RagError('preflight', `Cannot use a published service: ${is}, ${wanted} is wanted`, {
    hint: 'sbatch sbatch/ollama_service.sbatch   # then, when squeue says that it runs: node dist/supervisor.js status',
    cause,
  });

const outOfReach = (name: string): RagError =>
  new RagError(
    'preflight',
    `Cannot use a published service: ${name} listens on its own node only, RAG_BIND=node is wanted`,
    { hint: 'RAG_BIND=node sbatch sbatch/rag_allinone.sbatch   # or ask on that node' },
  );
