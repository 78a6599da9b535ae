/** A plan as child specifications, in the order in which they are started. Ollama first: it probes the GPUs. */
import { join } from 'node:path';

import type { Environment } from '../config/load.ts';
import type { OllamaHttp } from '../models/ollama-http.ts';
import type { Instance } from '../plan/types.ts';
import { embeddedSpec } from '../services/embedded.ts';
import type { ServedModel } from '../services/ollama-ready.ts';
import { ollamaSpec } from '../services/ollama.ts';
import { lexicalRerankerSpec } from '../services/reranker.ts';
import { storeHostSpec } from '../services/store-host.ts';
import type { ChildSpec } from '../supervise/spec.ts';
import type { Folders } from './folders.ts';
import type { Prepared } from './prepare.ts';
import { embedDimensions, embedOptions, generateOptions } from './models-in-force.ts';

export interface SpecsInput {
  readonly prepared: Pick<Prepared, 'plan' | 'settings' | 'environment' | 'job' | 'graceMs'>;
  readonly folders: Pick<Folders, 'logs' | 'scratch'>;
  /** Mark in the environment of every process of this run. */
  readonly supervisorId: string;
  readonly http: OllamaHttp;
  /** Whether servers can have a network of their own here. */
  readonly network: 'private' | 'shared';
  readonly onServed: (instance: Instance, served: ServedModel) => void;
}

export function makeSpecs(input: SpecsInput): ChildSpec[] {
  const { prepared, folders, supervisorId } = input;
  const { plan, settings, environment } = prepared;
  const common = { baseEnv: definedOnly(environment), cwd: folders.scratch, supervisorId };
  const servers = plan.instances.map((instance) =>
    instance.role === 'rerank'
      ? lexicalRerankerSpec({
          ...common,
          graceMs: prepared.graceMs,
          id: instance.id,
          gpus: instance.gpus,
          logFile: logOf(input, instance.id),
        })
      : modelServer(input, instance, instance.role),
  );
  return [
    ...servers,
    storeHostSpec({
      ...common,
      dir: settings.RAG_WORKING_DIR,
      graceMs: prepared.graceMs,
      logFile: logOf(input, 'store'),
    }),
  ];
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
  return ollamaSpec({
    ...options,
    bin: settings.OLLAMA_BIN,
    modelsDir: settings.OLLAMA_MODELS,
    model: instance.model,
    // Nobody said which GPUs there are: then the server finds them itself.
    gpus: job.gpus === null ? null : instance.gpus,
    dimensions: role === 'embed' ? embedDimensions(settings, instance.model) : null,
    allowCpu: settings.RAG_ALLOW_CPU || instance.gpus.length === 0,
  });
}

const logOf = ({ folders }: SpecsInput, id: string): string => join(folders.logs, `${id}.log`);

export const definedOnly = (environment: Environment): Record<string, string> =>
  Object.fromEntries(
    Object.entries(environment).filter((pair): pair is [string, string] => pair[1] !== undefined),
  );
