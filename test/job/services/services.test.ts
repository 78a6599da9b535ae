import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from '../../../src/config/load.ts';
import { makeSpecs, type SpecsInput } from '../../../src/job/services/services.ts';
import { openOllamaHttp } from '../../../src/models/ollama-http.ts';
import type { Plan } from '../../../src/plan/types.ts';
import { readJob } from '../../../src/slurm/job.ts';

const instances: Plan['instances'] = [
  { id: 'ollama-generate', role: 'generate', model: 'qwen3:8b', gpus: ['0'] },
  { id: 'ollama-embed', role: 'embed', model: 'qwen3-embedding:8b', gpus: ['1'] },
];
const slices = { ollama: ['0', '1'], reranker: [], retriever: [], workload: [], parser: [] };
const plan: Plan = {
  gpus: ['0', '1'],
  slices,
  engine: 'ollama',
  embedder: 'ollama',
  reranker: 'lexical',
  instances,
  memory: [],
  warnings: [],
};

async function isolationsOf(
  environment: Readonly<Record<string, string>>,
  network: SpecsInput['network'],
): Promise<Record<string, string>> {
  await using http = openOllamaHttp();
  const { settings } = load({ flags: {}, environment: { HOME: '/tmp', ...environment }, file: undefined });
  const specs = makeSpecs({
    prepared: { plan, settings, environment, job: readJob({}), graceMs: 1000, publishedIn: '/tmp/runtime' },
    folders: { logs: '/tmp/logs', scratch: '/tmp/scratch' },
    supervisorId: 'test.1',
    http,
    network,
    onServed: () => undefined,
    onEncoder: () => undefined,
    onWait: () => undefined,
    onDevice: () => undefined,
  });
  const servers = specs.filter(({ id }) => id.startsWith('ollama'));
  return Object.fromEntries(servers.map(({ id, isolation }) => [id, isolation]));
}

test('each Ollama gets a network of its own where the machine gives one', async () => {
  const all = { 'ollama-generate': 'network', 'ollama-embed': 'network' };
  assert.deepEqual(await isolationsOf({}, 'private'), all);
  const none = { 'ollama-generate': 'processes', 'ollama-embed': 'processes' };
  assert.deepEqual(await isolationsOf({}, 'shared'), none);
});

test('who names a port for Ollama wants to reach it there: only the other one is private', async () => {
  const isolations = await isolationsOf({ OLLAMA_PORT: '21434' }, 'private');
  assert.deepEqual(isolations, { 'ollama-generate': 'processes', 'ollama-embed': 'network' });
});
