/** The endpoint file that jobs find each other by: none, one of a job that answers, or one that was left behind. */
import { join } from 'node:path';
import { Agent } from 'undici';
import { readIfThere } from '../disk/atomic.ts';
import { readToken } from '../disk/read-token.ts';
import { messageOf } from '../errors.ts';
import { parseServiceFile } from '../services/discovery.ts';
import { findService, type FoundService, listensElsewhere, nameOf, urlOf } from '../services/find-service.ts';
import { provenConnector } from '../services/proven-connection.ts';
import { type Look, ok, warning } from './types.ts';

const about = 'endpoint';
const timeoutMs = 5000;

export const lookAtEndpoint: Look = async ({ settings, job, signal }) => {
  const path = join(settings.RAG_RUNTIME_STATE, 'ollama_service.json');
  const text = await readIfThere(path);
  if (text === undefined) return [ok(about, `${path}: no service is published`)];
  const file = parseServiceFile(text);
  if (file === undefined || !URL.canParse(urlOf(file)))
    return [
      warning(
        about,
        `${path} is no endpoint file; the next service that is ready replaces it after two minutes`,
        `cat ${path}`,
      ),
    ];
  const found = (state: string): string => `${path}: ${nameOf(file)}${state}`;
  if (listensElsewhere(file, job.node)) {
    const tunnel = `ssh -L ${file.port}:127.0.0.1:${file.port} ${file.node ?? ''}`;
    return [ok(about, found(`; it listens on that node only: ${tunnel}`))];
  }
  try {
    const service = await findService({ folder: settings.RAG_RUNTIME_STATE, node: job.node }, signal);
    const status = await askReady(service, signal);
    return status === 200
      ? [ok(about, found(` is ready at ${service.url}`))]
      : [
          warning(
            about,
            found(` answers at ${service.url} with ${status}`),
            `node dist/supervisor.js status ${file.job_id}`,
          ),
        ];
  } catch (error) {
    return [
      warning(
        about,
        `${path}: ${messageOf(error)}`,
        `squeue -j ${file.job_id}; node dist/supervisor.js status ${file.job_id}   # a dead one's file is replaced after two minutes`,
      ),
    ];
  }
};

/** From another node nothing is said without the token; and that is shown to nobody who does not prove to know it. */
async function askReady({ url, tokenFile }: FoundService, signal: AbortSignal): Promise<number> {
  const token = tokenFile === undefined ? '' : await readToken(tokenFile);
  const agent = new Agent({ connect: provenConnector(token) });
  try {
    const { statusCode, body } = await agent.request({
      origin: url,
      path: '/readyz',
      method: 'GET',
      headers: { authorization: `Bearer ${token}` },
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    });
    await body.dump();
    return statusCode;
  } finally {
    await agent.destroy();
  }
}
