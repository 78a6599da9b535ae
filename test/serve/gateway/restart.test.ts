/** The gateway before real servers that die and are started again. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ollamaSpec } from '../../../src/services/ollama.ts';
import { openBench, restarted, soon } from '../../services/serving.ts';
import { until } from '../../until.ts';
import { ollamaOf, servedBy } from '../model-servers.ts';
import { open, post } from '../open.ts';

const model = 'qwen3-embedding:8b';

async function openService(knobs: Readonly<Record<string, string>>) {
  const bench = await openBench();
  const spec = ollamaSpec(bench.options({ FAKE_LOAD_MS: '0', FAKE_START_MS: '0', ...knobs }));
  const tree = bench.start(spec);
  await tree.untilReady([spec.id], soon());
  const ollama = { ...ollamaOf({}), models: [{ role: 'embed', model }] as const };
  const follow = (): void => {
    const isReady = tree.statuses().some(({ current }) => current.state === 'ready');
    const last = bench.served.at(-1);
    ollama.roster.set('embed', spec.id, isReady && last !== undefined ? { url: last.url, model } : undefined);
  };
  tree.onChange(follow);
  follow();
  const endpoint = bench.keep(await open({ ollama }));
  const embed = (...input: string[]) => post(`${endpoint.url}/api/embed`, { model, input });
  return {
    bench,
    tree,
    ollama,
    embed,
    id: spec.id,
    [Symbol.asyncDispose]: () => bench[Symbol.asyncDispose](),
  };
}

test('kill -9 of a server: what was under way is answered by the one that takes its place', async () => {
  await using service = await openService({ FAKE_EMBED_MS: '100' });
  const { tree, id, bench, ollama } = service;
  const asked = ['one', 'two', 'three'].map((text) => service.embed(text));
  const { url } = bench.served.at(-1) ?? assert.fail();
  await until(() => ollama.flights.traffic(url).inFlight === 2, 'as many as it is given');
  const running = tree.running(id) ?? assert.fail();
  process.kill(running.pid, 'SIGKILL');
  for (const answer of asked) assert.equal(await servedBy(answer), id);
  await restarted(tree, id, 1);
  assert.equal(bench.served.length, 2);
});

test('a text that ends its server is refused after two of them, and those beside it are answered', async () => {
  await using service = await openService({ FAKE_EXIT: 'poison' });
  const [bad, ...good] = [service.embed('poison'), service.embed('a'), service.embed('b')];
  for (const answer of good) assert.equal((await answer).status, 200);
  const refused = await (bad ?? assert.fail());
  assert.equal(refused.status, 400);
  assert.match(((await refused.json()) as { error: string }).error, /has terminated twice/);
  await restarted(service.tree, service.id, 2);
  assert.equal((await service.embed('poison')).status, 400);
  assert.equal((await service.embed('c')).status, 200);
  assert.equal(service.bench.served.length, 3, 'it was not sent a third time');
});
