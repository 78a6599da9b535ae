/** A plan as child specifications, in the order in which they are started. Ollama first: it probes the GPUs. */
import { join } from 'node:path';

import type { Environment } from '../../config/load.ts';
import type { OllamaHttp } from '../../models/ollama-http.ts';
import { encodersOf } from '../../plan/retriever.ts';
import type { Instance } from '../../plan/types.ts';
import { embeddedSpec } from '../../services/embedded.ts';
import type { ServedModel } from '../../services/ollama-ready.ts';
import { ollamaSpec } from '../../services/ollama.ts';
import { remoteSpec } from '../../services/remote.ts';
import { lexicalRerankerSpec } from '../../services/reranker.ts';
import { storeHostSpec } from '../../services/store-host.ts';
import type { ChildSpec } from '../../supervise/spec.ts';
import { sidecarEncoder, type ServedEncoder } from '../models/encoder.ts';
import type { Folders } from '../folders.ts';
import { furtherOf } from '../models/further.ts';
import type { Prepared } from '../prepare/prepare.ts';
import { remoteService } from './remote-service.ts';
import { sidecarOf, sidecarProgram, type SidecarInput } from './sidecars.ts';
import type { DeviceStatus } from './device.ts';
import { embedDimensions, embedOptions, generateOptions } from '../prepare/models-in-force.ts';

export interface SpecsInput {
  readonly prepared: Pick<
    Prepared,
    'plan' | 'settings' | 'publishedIn' | 'environment' | 'job' | 'graceMs' | 'service'
  >;
  readonly folders: Pick<Folders, 'logs' | 'scratch'>;
  /** Mark in the environment of every process of this run. */
  readonly supervisorId: string;
  readonly http: OllamaHttp;
  /** Whether servers can have a network of their own here. */
  readonly network: 'private' | 'shared';
  readonly onServed: (instance: Instance, served: ServedModel) => void;
  readonly onEncoder: (instance: Instance, encoder: ServedEncoder) => void;
  /** A server of another job that is waited for, now and then. */
  readonly onWait: (id: string, line: string) => void;
  /** What a Python child runs on, each time it tells. */
  readonly onDevice: (id: string, device: DeviceStatus) => void;
}

export function makeSpecs(input: SpecsInput): ChildSpec[] {
  const { prepared, folders, supervisorId } = input;
  const common = { baseEnv: definedOnly(prepared.environment), cwd: folders.scratch, supervisorId };
  const servers = prepared.plan.instances.map((instance) =>
    instance.role === 'rerank'
      ? reranker(input, instance, common)
      : instance.role === 'embed' && prepared.plan.embedder === 'sidecar'
        ? encoder(input, instance, common)
        : modelServer(input, instance, instance.role),
  );
  const { settings, graceMs } = prepared;
  const stores = [{ id: 'store', folder: settings.RAG_WORKING_DIR }, ...furtherOf(settings)];
  return [
    ...servers,
    ...stores.map(({ id, folder: dir }) =>
      storeHostSpec({ ...common, id, dir, graceMs, logFile: logOf(input, id) }),
    ),
  ];
}

function reranker(
  input: SpecsInput,
  instance: Instance,
  common: Pick<SidecarInput, 'baseEnv' | 'cwd' | 'supervisorId'>,
): ChildSpec {
  const { plan, settings, job, graceMs } = input.prepared;
  const { id, gpus, model } = instance;
  const child = { ...common, id, graceMs, logFile: logOf(input, id) };
  if (plan.reranker !== 'sidecar') return lexicalRerankerSpec({ ...child, gpus });
  const program = sidecarProgram(settings, job, instance, { rerank: model, encode: [] });
  return sidecarOf({ ...child, ...program, onDevice: input.onDevice });
}

function encoder(
  input: SpecsInput,
  instance: Instance,
  common: Pick<SidecarInput, 'baseEnv' | 'cwd' | 'supervisorId'>,
): ChildSpec {
  const { settings, job, graceMs } = input.prepared;
  const { id } = instance;
  const program = sidecarProgram(settings, job, instance, {
    rerank: undefined,
    encode: encodersOf(instance),
  });
  return sidecarOf({
    ...common,
    ...program,
    id,
    graceMs,
    logFile: logOf(input, id),
    onDevice: input.onDevice,
    onReady: ({ encode }) => {
      for (const each of encode) input.onEncoder(instance, sidecarEncoder(each));
    },
  });
}

function modelServer(input: SpecsInput, instance: Instance, role: 'embed' | 'generate'): ChildSpec {
  const { prepared, folders, supervisorId, http, onServed } = input;
  const { plan, settings, environment, job, graceMs } = prepared;
  // The first in the plan is the one that people who name a port talk to: it is for all of the node.
  const preferredPort = instance === plan.instances[0] ? settings.OLLAMA_PORT : 0;
  const options = {
    id: instance.id,
    role,
    options: role === 'embed' ? embedOptions(settings) : generateOptions,
    baseEnv: definedOnly(environment),
    stateDir: folders.scratch,
    logFile: logOf(input, instance.id),
    portSeed: supervisorId,
    preferredPort,
    network: preferredPort > 0 ? ('shared' as const) : input.network,
    graceMs,
    startTimeoutMs: settings.OLLAMA_START_TIMEOUT * 1000,
    supervisorId,
    http,
    onReady: (served: ServedModel) => onServed(instance, served),
  };
  if (plan.engine === 'embedded') return embeddedSpec(options);
  const dimensions = role === 'embed' ? embedDimensions(settings, instance.model) : null;
  const { model } = instance;
  const { service } = prepared;
  if (service !== undefined) {
    const where = { folder: prepared.publishedIn, node: job.node };
    const find = async (signal: AbortSignal) => (await remoteService(settings, where, signal)) ?? service;
    const onWait = (line: string): void => input.onWait(instance.id, line);
    return remoteSpec({ ...options, model, dimensions, find, onWait });
  }
  const spec = ollamaSpec({
    ...options,
    model,
    dimensions,
    bin: settings.OLLAMA_BIN,
    modelsDir: settings.OLLAMA_MODELS,
    // Nobody said which GPUs there are: then the server finds them itself.
    gpus: job.gpus === null ? null : instance.gpus,
    allowCpu: settings.RAG_ALLOW_CPU || instance.gpus.length === 0,
  });
  return instance.layout === 'answering' ? { ...spec, later: true } : spec;
}

const logOf = ({ folders }: SpecsInput, id: string): string => join(folders.logs, `${id}.log`);

export const definedOnly = (environment: Environment): Record<string, string> =>
  Object.fromEntries(
    Object.entries(environment).filter((pair): pair is [string, string] => pair[1] !== undefined),
  );
