/** The endpoint file that jobs find each other by: none, one of a job that answers, or one that was left behind. */
import { join } from 'node:path';
import { request } from 'undici';
import { readIfThere } from '../disk/atomic.ts';
import { messageOf } from '../errors.ts';
import { parseServiceFile, type ServiceFile } from '../services/discovery.ts';
import { type Finding, type Look, ok, warning } from './types.ts';

const about = 'endpoint';
const timeoutMs = 5000;

export const lookAtEndpoint: Look = async ({ settings, job, signal }) => {
  const path = join(settings.RAG_RUNTIME_STATE, 'ollama_service.json');
  const text = await readIfThere(path);
  if (text === undefined) return [ok(about, `${path}: no service is published`)];
  const file = parseServiceFile(text);
  if (file === undefined)
    return [
      warning(
        about,
        `${path} is no endpoint file; the next service that is ready replaces it after two minutes`,
        `cat ${path}`,
      ),
    ];
  return [await ask(path, file, job.node, signal)];
};

async function ask(path: string, file: ServiceFile, here: string, signal: AbortSignal): Promise<Finding> {
  const url = file.url ?? `http://${file.host}:${file.port}`;
  const of = `job ${file.job_id} on ${file.node ?? file.host}`;
  const isLoopback = /^(127\.|localhost$|\[?::1)/.test(new URL(url).hostname);
  if (isLoopback && file.node !== undefined && file.node !== here)
    return ok(
      about,
      `${path}: ${of}; it listens on that node only: ssh -L ${file.port}:127.0.0.1:${file.port} ${file.node}`,
    );
  try {
    const asked = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
    const { statusCode, body } = await request(`${url}/readyz`, { signal: asked });
    await body.dump();
    return statusCode === 200
      ? ok(about, `${path}: ${of} is ready at ${url}`)
      : warning(
          about,
          `${path}: ${of} answers at ${url} with ${statusCode}`,
          `node dist/supervisor.js status ${file.job_id}`,
        );
  } catch (error) {
    return warning(
      about,
      `${path}: ${of} does not answer at ${url} (${messageOf(error)})`,
      `squeue -j ${file.job_id}; node dist/supervisor.js status ${file.job_id}   # a dead one's file is replaced after two minutes`,
    );
  }
}
