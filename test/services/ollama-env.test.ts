import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serverEnv } from '../../src/services/ollama-env.ts';

const setting = {
  port: 12_345,
  home: '/scratch/ollama-embed',
  modelsDir: '/models',
  gpus: ['GPU-a', 'GPU-b'],
  contextTokens: 8192,
  supervisorId: '42.x',
};

test('serverEnv() holds everything that `ollama serve` must be told', () => {
  assert.deepEqual(serverEnv({ PATH: '/bin' }, setting), {
    PATH: '/bin',
    HOME: '/scratch/ollama-embed',
    OLLAMA_HOST: '127.0.0.1:12345',
    OLLAMA_MODELS: '/models',
    OLLAMA_NOPRUNE: '1',
    OLLAMA_NO_CLOUD: '1',
    OLLAMA_KEEP_ALIVE: '-1',
    OLLAMA_LOAD_TIMEOUT: '60m',
    OLLAMA_MAX_LOADED_MODELS: '1',
    OLLAMA_NUM_PARALLEL: '1',
    OLLAMA_CONTEXT_LENGTH: '8192',
    LLAMA_ARG_CACHE_RAM: '1024',
    CUDA_DEVICE_ORDER: 'PCI_BUS_ID',
    OLLAMA_VULKAN: '0',
    CUDA_VISIBLE_DEVICES: 'GPU-a,GPU-b',
    RAG_SUPERVISOR_ID: '42.x',
  });
});

for (const name of [
  'HTTP_PROXY',
  'https_proxy',
  'HIP_VISIBLE_DEVICES',
  'ROCR_VISIBLE_DEVICES',
  'GPU_DEVICE_ORDINAL',
  'ZE_AFFINITY_MASK',
  'LLAMA_API_KEY',
  'LLAMA_ARG_CTX_SIZE',
  'GGML_CUDA_ENABLE_UNIFIED_MEMORY',
  'OLLAMA_DEBUG_LOG_REQUESTS',
]) {
  test(`serverEnv() removes ${name}, an empty one too`, () => {
    assert.equal(Object.hasOwn(serverEnv({ [name]: '' }, setting), name), false);
  });
}

test('serverEnv() keeps what a user may tune and replaces the address of another server', () => {
  const env = serverEnv({ OLLAMA_FLASH_ATTENTION: '0', OLLAMA_HOST: '0.0.0.0:11434' }, setting);
  assert.equal(env['OLLAMA_FLASH_ATTENTION'], '0');
  assert.equal(env['OLLAMA_HOST'], '127.0.0.1:12345');
});

test('serverEnv() tells "no GPU" from "nobody said which GPUs"', () => {
  const base = { CUDA_VISIBLE_DEVICES: '7' };
  assert.equal(serverEnv(base, { ...setting, gpus: [] })['CUDA_VISIBLE_DEVICES'], '-1');
  assert.equal(serverEnv(base, { ...setting, gpus: null })['CUDA_VISIBLE_DEVICES'], '7');
});
