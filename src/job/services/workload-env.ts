/** The environment of the workload. Pure. */
import type { Endpoint } from '../../serve/serve.ts';
import type { Keys } from '../shown/face.ts';
import type { OpenJob } from '../open.ts';
import { definedOnly } from './services.ts';

export interface WorkloadEnvInput {
  readonly open: {
    readonly prepared: Pick<OpenJob['prepared'], 'environment' | 'settings' | 'plan' | 'job'>;
  };
  readonly endpoint: Pick<Endpoint, 'url' | 'port' | 'socketPath'>;
  readonly files: Keys['files'];
}

/** Slurm's own, and those that only the services understand. */
const masks = ['ROCR_VISIBLE_DEVICES', 'HIP_VISIBLE_DEVICES', 'GPU_DEVICE_ORDINAL', 'ZE_AFFINITY_MASK'];

export function makeWorkloadEnv({ open, endpoint, files }: WorkloadEnvInput): Record<string, string> {
  const { environment, settings, plan, job } = open.prepared;
  const inherited = Object.entries(definedOnly(environment)).filter(([name]) => !masks.includes(name));
  // Programs of this node need no token there, whatever the endpoint is bound to.
  const url = `http://127.0.0.1:${endpoint.port}`;
  const spared = ['127.0.0.1', 'localhost', job.node];
  const withProxy = (name: string): string => [environment[name], ...spared].filter(Boolean).join(',');
  return {
    ...Object.fromEntries(inherited),
    ...(job.gpus === null ? {} : { CUDA_VISIBLE_DEVICES: plan.slices.workload.join(',') }),
    OLLAMA_HOST: url,
    RAG_URL: url,
    RAG_RETRIEVER_URL: `${url}/retrieve`,
    RAG_TOKEN_FILE: files.header,
    ...(endpoint.socketPath === null ? {} : { RAG_SOCKET: endpoint.socketPath }),
    ...(settings.RERANKER_MODEL_PATH === undefined
      ? {}
      : { RERANKER_MODEL_PATH: settings.RERANKER_MODEL_PATH }),
    RERANKER_USE_FP16: settings.RERANKER_USE_FP16 ? '1' : '0',
    OMP_NUM_THREADS: environment['OMP_NUM_THREADS'] ?? String(job.cpus),
    // With a proxy set, Python's urllib and requests send even loopback addresses there.
    NO_PROXY: withProxy('NO_PROXY'),
    no_proxy: withProxy('no_proxy'),
  };
}
