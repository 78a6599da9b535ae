/** The service that a job of this user, or of his group, has published: found by its file, asked whether it lives. */
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { request } from 'undici';
import { z } from 'zod';
import { readIfThere } from '../disk/atomic.ts';
import { proofOf } from '../disk/token-proof.ts';
import { messageOf, RagError } from '../errors.ts';
import { parseServiceFile, type ServiceFile } from './discovery.ts';

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

const timeoutMs = 10_000;

/**
 * @param folder RAG_RUNTIME_STATE
 * @throws preflight when there is none, when its token cannot be read, or when nobody proves to be it
 */
export async function findService(folder: string, signal: AbortSignal): Promise<FoundService> {
  const path = join(folder, 'ollama_service.json');
  const text = await readIfThere(path);
  if (text === undefined) throw notPublished(`there is no ${path}`);
  const file = parseServiceFile(text);
  if (file === undefined) throw notPublished(`${path} is no endpoint file`);
  const name = `job ${file.job_id} on ${file.node ?? file.host}`;
  if (file.token_file === undefined) throw notPublished(`${path} names no token file, ${name} is too old`);
  const token = await readFile(file.token_file, 'utf8').catch((cause: unknown) => {
    throw new RagError('preflight', `Cannot use ${name}: its token cannot be read (${messageOf(cause)})`, {
      hint: `ls -l ${file.token_file}   # another user shares it with RAG_SHARE_GROUP`,
      cause,
    });
  });
  const url = file.url ?? `http://${file.host}:${file.port}`;
  await proves(url, token.trim(), file, AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]));
  return { url, tokenFile: file.token_file, urlTokenFile: file.url_token_file, name };
}

const answerSchema = z.object({ proof: z.string() });

/** Before the token is shown: the port may be another program's by now. */
async function proves(url: string, token: string, file: ServiceFile, signal: AbortSignal): Promise<void> {
  const nonce = randomBytes(16).toString('hex');
  const wanted = proofOf(token, nonce, new URL(url).host);
  const name = `job ${file.job_id} on ${file.node ?? file.host}`;
  try {
    const { statusCode, body } = await request(`${url}/proof?nonce=${nonce}`, { signal });
    const answer = answerSchema.safeParse(await body.json());
    if (statusCode === 200 && answer.data?.proof === wanted) return;
  } catch (cause) {
    throw notPublished(`${name} does not answer at ${url} (${messageOf(cause)})`, cause);
  }
  throw notPublished(`what answers at ${url} is not ${name}: that one is gone`);
}

const notPublished = (is: string, cause?: unknown): RagError =>
  new RagError('preflight', `Cannot use a published service: ${is}, a live one is wanted`, {
    hint: 'sbatch sbatch/ollama_service.sbatch   # then, when squeue says that it runs: node dist/supervisor.js status',
    cause,
  });
