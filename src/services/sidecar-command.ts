/** What a Python child is started with: its command line and its whole environment. */
import { fileURLToPath } from 'node:url';
import { gpuMask, withoutOtherMasks } from './gpu-env.ts';

/** What one child holds. The same for every GPU of a slice. */
export interface SidecarModels {
  /** Folder of the reranker; undefined: it only encodes. */
  readonly rerank: string | undefined;
  /** Names or folders of encoders. */
  readonly encode: readonly string[];
  readonly halfPrecision: boolean;
  /** Pairs or texts in one forward pass; undefined: the program's own. */
  readonly batchSize: number | undefined;
}

export interface SidecarProgram extends SidecarModels {
  readonly python: string;
  /** scripts/sidecar.py, or what stands in for it. */
  readonly script: string;
  /** Without it a child that finds no GPU is a failure. */
  readonly allowCpu: boolean;
}

export interface SidecarSurroundings {
  /** Its GPU. None: the CPU. Null: nobody said which there are, it looks for itself. */
  readonly gpus: readonly string[] | null;
  /** CPUs of the job. */
  readonly cpus: number;
  readonly baseEnv: Readonly<Record<string, string>>;
}

/** The program that comes with the package, from `src/` as from `dist/`. */
export const sidecarScript: string = fileURLToPath(new URL('../../scripts/sidecar.py', import.meta.url));

export const sidecarCommand = (
  { python, script, rerank, encode, halfPrecision, batchSize, allowCpu }: SidecarProgram,
  more: readonly string[] = [],
): [string, ...string[]] => [
  python,
  script,
  ...(rerank === undefined ? [] : ['--rerank', rerank]),
  ...(encode.length === 0 ? [] : ['--encode', encode.join(',')]),
  '--fp16',
  halfPrecision ? '1' : '0',
  ...(batchSize === undefined ? [] : ['--batch-size', String(batchSize)]),
  ...(allowCpu ? ['--allow-cpu'] : []),
  ...more,
];

/** A GPU leaves little to the CPU but the tokenizer. */
const threadsBesideGpu = 4;

export function sidecarEnv({ gpus, cpus, baseEnv }: SidecarSurroundings): Record<string, string> {
  const threads = gpus?.length === 0 ? cpus : Math.min(cpus, threadsBesideGpu);
  return {
    // PyTorch takes one thread for each core of the node otherwise, whatever the job has.
    OMP_NUM_THREADS: String(threads),
    ...withoutOtherMasks(baseEnv),
    // Compute nodes often have no way out: a look at a hub would wait for minutes.
    HF_HUB_OFFLINE: '1',
    TRANSFORMERS_OFFLINE: '1',
    TOKENIZERS_PARALLELISM: 'false',
    CUDA_DEVICE_ORDER: 'PCI_BUS_ID',
    ...gpuMask(gpus),
  };
}
