/** Ollama that somebody else runs: whether it answers, and whether it has the models that are wanted. */
import { request } from 'undici';
import { z } from 'zod';
import { toPlain } from '../errors.ts';
import { checkAddress, remoteService } from '../job/services/remote-service.ts';
import { isSameModel } from '../models/name.ts';
import { failure, type Finding, ok, type Patient, warning } from './types.ts';

const about = 'Ollama';
const listMs = 5000;

const listed = z.object({ models: z.array(z.object({ name: z.string() })).nullish() });

/** A job waits for a service that begins after it, so that one which is not there yet is no failure. */
export async function lookElsewhere(
  { settings, job, signal }: Pick<Patient, 'settings' | 'job' | 'signal'>,
  wanted: readonly string[],
): Promise<Finding[]> {
  const { OLLAMA_HOST } = settings;
  try {
    const service = await remoteService(
      settings,
      { folder: settings.RAG_RUNTIME_STATE, node: job.node },
      signal,
    );
    if (service === undefined) return [];
    const found = ok(
      about,
      `OLLAMA_HOST=${OLLAMA_HOST === 'published' ? 'published: ' : ''}${service.name} answers`,
    );
    // A job of ours that proved to be it checks its models itself, and lists them to its token only.
    if (service.tokenFile !== undefined) return [found];
    await checkAddress(service, signal);
    const names = await listModels(service.url, signal);
    return [found, ...wanted.map((model) => judgeModel(model, names))];
  } catch (error) {
    signal.throwIfAborted();
    const { message, hint } = toPlain(error);
    return [warning(about, message, hint)];
  }
}

async function listModels(url: string, signal: AbortSignal): Promise<string[]> {
  const { body } = await request(`${url}/api/tags`, {
    signal: AbortSignal.any([signal, AbortSignal.timeout(listMs)]),
  });
  return (listed.parse(await body.json()).models ?? []).map(({ name }) => name);
}

function judgeModel(model: string, names: readonly string[]): Finding {
  if (names.some((name) => isSameModel(name, model))) return ok(about, `${model} is there`);
  const has = names.length === 0 ? 'no model' : names.slice(0, 9).join(', ');
  return failure(
    about,
    `${model} is not there: it has ${has}`,
    'export OLLAMA_EMBED_MODEL=... OLLAMA_GENERATE_MODEL=...   # one of them; or: unset OLLAMA_HOST',
  );
}
