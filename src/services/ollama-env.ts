import { gpuMask, withoutOtherMasks } from './gpu-env.ts';

/** What decides the environment of a model server. */
export interface ServerSetting {
  readonly port: number;
  /** Its own, on the node: a key is written there, and on some clusters the real home is read-only. */
  readonly home: string;
  /** Its own view of the model store. */
  readonly modelsDir: string;
  /** Tokens as the allocation gave them. None: CPU. Null: GPUs are left as the environment says. */
  readonly gpus: readonly string[] | null;
  readonly contextTokens: number;
  /** Mark by which the processes of a job are found, runners included: they inherit it. */
  readonly supervisorId: string;
}

/**
 * Left over from a user's shell, these change or break a server: a proxy stands between server and runner,
 * settings of the engine reach the runner, and the request log writes prompts to files.
 */
const unwanted = [/^(https?|all|ftp|no)_proxy$/i, /^(LLAMA|GGML)_/, /^OLLAMA_DEBUG_LOG_REQUESTS$/];

/** The whole environment of `ollama serve`, which has no flags. */
export function serverEnv(
  base: Readonly<Record<string, string>>,
  setting: ServerSetting,
): Readonly<Record<string, string>> {
  const kept = Object.entries(withoutOtherMasks(base)).filter(
    ([name]) => !unwanted.some((pattern) => pattern.test(name)),
  );
  return {
    ...Object.fromEntries(kept),
    HOME: setting.home,
    OLLAMA_HOST: `127.0.0.1:${setting.port}`,
    OLLAMA_MODELS: setting.modelsDir,
    // A start prunes what no manifest names, and an unreadable tree of manifests names nothing: all is lost.
    OLLAMA_NOPRUNE: '1',
    OLLAMA_NO_CLOUD: '1',
    OLLAMA_KEEP_ALIVE: '-1',
    // 142 GB from a network file system take longer than the default of 5 minutes.
    OLLAMA_LOAD_TIMEOUT: '60m',
    // One server evicts one model for another, kept for ever or not.
    OLLAMA_MAX_LOADED_MODELS: '1',
    // Each more takes memory for a context of its own, and embedders ignore it.
    OLLAMA_NUM_PARALLEL: '1',
    // Unset, newer versions choose up to 262144 by the size of the GPUs.
    OLLAMA_CONTEXT_LENGTH: String(setting.contextTokens),
    // MiB of prompt cache in host memory; the default of 8192 per runner gets jobs killed.
    LLAMA_ARG_CACHE_RAM: '1024',
    CUDA_DEVICE_ORDER: 'PCI_BUS_ID',
    // On by default from 0.32; it was seen to take a card outside the mask.
    OLLAMA_VULKAN: '0',
    ...gpuMask(setting.gpus),
    RAG_SUPERVISOR_ID: setting.supervisorId,
  };
}
