import { codeOf, messageOf, RagError } from '../errors.ts';
import { whoListens } from '../machine/ports.ts';
import { socketPathOf } from '../models/address.ts';
import { readChat } from '../models/generate.ts';
import { askAgainMsOf, setbackOf } from '../models/ollama-errors.ts';
import { chatBody, embedBody } from '../models/ollama-body.ts';
import type { OllamaHttp } from '../models/ollama-http.ts';
import { isSameModel } from '../models/name.ts';
import type { FrozenOptions, Role } from '../models/types.ts';
import { readVectors } from '../models/vectors.ts';
import type { LivenessResult, ProbeResult } from '../supervise/spec.ts';
import { isOutOfMemory, offloadedLayers, sawOnlyCpu } from './ollama-log.ts';

/** What a server must prove before it counts as ready. */
export interface Expected {
  readonly role: Role;
  readonly model: string;
  /** The GPUs it was given. Null: unknown, so that its place is not checked. */
  readonly gpus: readonly string[] | null;
  readonly allowCpu: boolean;
  readonly options: FrozenOptions;
  readonly dimensions: number | null;
  /** A server that somebody else runs: its store is not ours to fill. */
  readonly isElsewhere?: boolean;
}

/** What a request to it must carry. */
export type ToAsk = Pick<Expected, 'role' | 'model' | 'options' | 'dimensions'>;

/** A server that is ready, and what was learnt of it on the way. */
export interface ServedModel {
  readonly url: string;
  readonly model: string;
  readonly version: string;
  /** sha256 of the model's manifest. */
  readonly digest: string;
  /** Of its vectors; null for a generator. */
  readonly dimensions: number | null;
  /** Memory that the loaded model takes, and how much of it is on GPUs. */
  readonly bytes: number;
  readonly vramBytes: number;
}

export interface Started {
  readonly url: string;
  /** Leader of the process group that must own the listening port. */
  readonly pid: number;
  readonly log: () => readonly string[];
  readonly http: OllamaHttp;
  readonly signal: AbortSignal;
}

/** What it takes to ask. */
export type Reached = Pick<Started, 'url' | 'http' | 'signal'>;

/** An answer about the server itself; silence for so long is a hang. Loads are bounded by the caller's signal. */
const askMs = 30_000;
const loadMs = 3_600_000;
/** A service's estimate may be wrong by minutes; a question costs it nothing. */
const mostPatientMs = 10_000;

/**
 * Everything from "our child listens" to "this model, on these GPUs, answers with these options", in this order.
 * A port that accepts and the log's "Listening" prove nothing: both come long before the first answer.
 *
 * @throws model-unavailable: not yet. Every other code: it will not get better by waiting.
 */
export async function proveServer(expected: Expected, started: Started): Promise<ServedModel> {
  await isOurs(started);
  const version = await answers(started);
  const digest = await isInstalled(expected, started);
  seesItsGpus(expected, started);
  await loads(expected, started);
  const { bytes, vramBytes } = await sitsOnItsGpus(expected, started);
  const dimensions = await works(expected, started);
  const { url } = started;
  return { url, model: expected.model, version, digest, dimensions, bytes, vramBytes };
}

/** What an error of `proveServer` means for the probe. */
export function probeResult(error: unknown): ProbeResult {
  const code = codeOf(error);
  if (isOutOfMemory(messageOf(error))) {
    const hint = 'Give it more GPUs (OLLAMA_GPUS), a smaller context or a smaller model.';
    return { outcome: 'fatal', error: new RagError('preflight', messageOf(error), { cause: error, hint }) };
  }
  if (code === 'model-unavailable' || code === 'aborted') {
    const askAgainMs = askAgainMsOf(error);
    return {
      outcome: 'not-yet',
      reason: messageOf(error),
      ...(askAgainMs !== undefined && { askAgainMs: Math.min(askAgainMs, mostPatientMs) }),
    };
  }
  return { outcome: 'fatal', error: error instanceof Error ? error : new Error(String(error)) };
}

const get = ({ url, http, signal }: Reached, path: string): Promise<unknown> =>
  http.json({ url, path, signal, stallMs: askMs });

async function answers(started: Started): Promise<string> {
  const { version } = (await get(started, '/api/version')) as { version?: unknown };
  return typeof version === 'string' ? version : 'unknown';
}

/**
 * Whether the server answers at all: it does so while it loads and while it works, so only one that is stopped
 * or locked up is silent. Says nothing of its runner.
 */
export async function answersAtAll(
  url: string,
  http: OllamaHttp,
  signal: AbortSignal,
): Promise<LivenessResult> {
  await http.json({ url, path: '/api/version', signal });
  return { outcome: 'alive' };
}

/**
 * Another user's server answers as well as ours does, and would take our texts; so this is asked first. Behind a
 * socket in a folder of ours there is nobody else.
 */
async function isOurs({ url, pid }: Started): Promise<void> {
  if (socketPathOf(url) !== undefined) return;
  const owner = await whoListens(Number(new URL(url).port), pid);
  if (owner === 'ours') return;
  const is = owner === 'foreign' ? 'another program answers there' : 'nobody listens there';
  throw new RagError('model-unavailable', `Cannot use the server at ${url}: ${is}, our own is wanted`);
}

interface Listed {
  readonly name: string;
  readonly digest: string;
  readonly size: number;
  readonly size_vram: number;
}

async function findModel(
  started: Reached,
  path: '/api/tags' | '/api/ps',
  model: string,
): Promise<Listed | undefined> {
  const { models } = (await get(started, path)) as { models?: Listed[] | null };
  return models?.find(({ name }) => isSameModel(name, model));
}

async function isInstalled(expected: Expected, started: Started): Promise<string> {
  const { model, role } = expected;
  const found = await findModel(started, '/api/tags', model);
  if (found !== undefined) return found.digest;
  // A service of another job may have it later: asked to generate, it says so.
  if (role === 'generate')
    await loads(expected, started).catch((error: unknown) => {
      if (codeOf(error) === 'model-unavailable') throw error;
    });
  throw expected.isElsewhere === true
    ? notServed(model, await namesOf(started))
    : new RagError(
        'preflight',
        `Cannot serve ${model}: it is not in the model store, an installed model is wanted`,
        { hint: `ollama pull ${model}` },
      );
}

async function namesOf(started: Reached): Promise<string[]> {
  const { models } = (await get(started, '/api/tags')) as { models?: Listed[] | null };
  return (models ?? []).map(({ name }) => name);
}

const notServed = (model: string, has: readonly string[]): RagError =>
  new RagError(
    'preflight',
    `Cannot use ${model}: the service that OLLAMA_HOST names has ${has.length === 0 ? 'no model' : has.slice(0, 9).join(', ')}, this one is wanted`,
    {
      hint: 'unset OLLAMA_HOST   # or name one of them: OLLAMA_EMBED_MODEL, OLLAMA_GENERATE_MODEL; a supervisor that runs answers without --here',
    },
  );

const onCpu = (model: string, is: string): RagError =>
  new RagError('preflight', `Cannot run ${model} on its GPUs: ${is}, all of it on the GPUs is wanted`, {
    hint: 'Look into the log for "GPU discovery"; give it more GPUs, or allow the CPU with RAG_ALLOW_CPU=1.',
  });

/** Before the load: a hundred gigabytes into the memory of the host end the job. */
function seesItsGpus({ model, gpus, allowCpu }: Expected, { log }: Started): void {
  if (gpus === null || gpus.length === 0 || allowCpu) return;
  if (sawOnlyCpu(log())) throw onCpu(model, 'the server found no GPU');
}

/** With the very options of every later call: others would load it again. The request stays open: leaving it ends the load. */
async function loads(expected: Expected, started: Started): Promise<void> {
  await request(expected, started, null);
}

async function sitsOnItsGpus(
  { model, gpus, allowCpu }: Expected,
  started: Started,
): Promise<{ bytes: number; vramBytes: number }> {
  const loaded = await placeOf(model, started);
  if (loaded === undefined) {
    throw new RagError(
      'model-unavailable',
      `Cannot use ${model}: it was unloaded again, a loaded model is wanted`,
    );
  }
  const { bytes, vramBytes } = loaded;
  if (gpus === null || gpus.length === 0 || allowCpu) return { bytes, vramBytes };
  if (vramBytes < bytes || vramBytes === 0) throw onCpu(model, `${vramBytes} of ${bytes} bytes are there`);
  const layers = offloadedLayers(started.log());
  if (layers !== null && layers.offloaded < layers.of) {
    throw onCpu(model, `${layers.offloaded} of ${layers.of} layers are there`);
  }
  return { bytes, vramBytes };
}

/** Where a model sits. Undefined when it is not loaded, as during a load. */
export async function placeOf(
  model: string,
  started: Reached,
): Promise<{ bytes: number; vramBytes: number } | undefined> {
  const loaded = await findModel(started, '/api/ps', model);
  // The fields are left out when they are zero.
  return loaded && { bytes: loaded.size ?? 0, vramBytes: loaded.size_vram ?? 0 };
}

/** One real embedding or token. Returns the size of the vectors. */
export async function works(expected: ToAsk, started: Reached): Promise<number | null> {
  const answer = await request(expected, started, 'Ready?');
  if (expected.role === 'generate') return null;
  const [vector] = readVectors(answer, { count: 1, dimensions: expected.dimensions });
  return vector?.length ?? null;
}

/** Without a text it only loads the model. */
async function request(
  expected: ToAsk,
  { url, http, signal }: Reached,
  text: string | null,
): Promise<unknown> {
  const { role, model, options, dimensions } = expected;
  const ask = { url, turn: 'probe', signal, stallMs: loadMs } as const;
  if (role === 'embed') {
    const body = embedBody(model, text === null ? [] : [text], options, dimensions);
    return http.json({ ...ask, path: '/api/embed', body });
  }
  const messages = text === null ? [] : [{ role: 'user', content: text } as const];
  const body = chatBody(model, messages, options, text === null ? null : 1);
  // Read to its end: only the line that says so tells that the model answers.
  for await (const _ of readChat(model, http.lines({ ...ask, path: '/api/chat', body })));
  return null;
}

/** Whether a failure came from loading or working, not from a server that is still starting. */
export const isLoadFailure = (error: unknown): boolean => setbackOf(error) === 'died';
