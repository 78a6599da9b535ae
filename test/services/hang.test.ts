/** Services that are stopped (SIGSTOP) while they are ready: each is started again, and nobody loses a request. */
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, test } from 'node:test';
import { openParserPool } from '../../src/documents/pool.ts';
import { ingest } from '../../src/ingest/ingest.ts';
import { noStamps } from '../../src/ingest/stamps.ts';
import { makeEmbed } from '../../src/models/embed.ts';
import { codeOf } from '../../src/errors.ts';
import { readyChildren } from '../../src/job/services/ready-children.ts';
import { makeRerank } from '../../src/models/rerank.ts';
import { makeSidecars } from '../../src/models/sidecar.ts';
import { makeRoster } from '../../src/models/roster.ts';
import type { Embed, Roster } from '../../src/models/types.ts';
import { embeddedSpec } from '../../src/services/embedded.ts';
import { ollamaSpec } from '../../src/services/ollama.ts';
import { lexicalRerankerSpec } from '../../src/services/reranker.ts';
import { storeHostSpec } from '../../src/services/store-host.ts';
import { openStore } from '../../src/store/wire/client.ts';
import type { Store } from '../../src/store/types.ts';
import type { Channel, ChildSpec, Tree } from '../../src/supervise/spec.ts';
import { watchLeaks } from '../leaks.ts';
import { encoder, rowsOf } from '../store/samples.ts';
import { openBench, soon, type Bench } from './serving.ts';

const leaks = watchLeaks();
after(() => leaks.assertNone());

const id = 'ollama-embed';
const prefixes = { query: '', passage: '' };

/** The same service, found hung after a second. */
function impatient(spec: ChildSpec): ChildSpec {
  const { liveness } = spec;
  assert.ok(liveness !== undefined, 'it has no liveness probe');
  return { ...spec, liveness: { ...liveness, periodMs: 20, timeoutMs: 300, failureThreshold: 3 } };
}

async function stop(tree: Tree, child: string): Promise<void> {
  await tree.untilReady([child], soon());
  process.kill(tree.running(child)?.pid ?? assert.fail(), 'SIGSTOP');
}

/** Waits: a child that is continued to be ended may first answer what it was asked. */
async function assertRestarted(tree: Tree, child: string): Promise<void> {
  await tree.untilReady([child], soon());
  const { restarts, reason } = tree.statuses().find((one) => one.id === child) ?? assert.fail();
  assert.equal(restarts, 1);
  assert.match(reason ?? '', /^did not answer for \d+(\.\d)? s: no answer within 0\.3 s$/);
}

const channelOf =
  (tree: Tree, child: string) =>
  async (signal: AbortSignal): Promise<Channel> => {
    await tree.untilReady([child], signal);
    return tree.running(child)?.channel ?? assert.fail();
  };

const common = ({ dir }: Bench, name: string) => ({
  baseEnv: { PATH: process.env['PATH'] ?? '' },
  cwd: dir,
  logFile: path.join(dir, `${name}.log`),
  graceMs: 5_000,
  supervisorId: 'test.1',
});

/** The servers that are ready, as the job keeps them: one that is being stopped gets no requests. */
function rosterOf(tree: Tree, { served }: Bench): Roster {
  const roster = makeRoster();
  tree.onChange(({ current }) =>
    roster.set('embed', id, current.state === 'ready' ? served.at(-1) : undefined),
  );
  return roster;
}

for (const [name, make] of [
  ['Ollama', (bench: Bench) => ollamaSpec(bench.options())],
  ['the embedded engine', (bench: Bench) => embeddedSpec({ ...bench.options(), role: 'embed' })],
] as const) {
  test(`${name} that is stopped is started again, and the request in its hands is answered`, async () => {
    await using bench = await openBench();
    const tree = bench.start(impatient(make(bench)));
    const embed = makeEmbed({
      ...bench.options(),
      dimensions: null,
      roster: rosterOf(tree, bench),
      prefixes,
    });
    await stop(tree, id);
    const [vector] = await embed({ texts: ['a'], kind: 'passage', signal: soon() });
    assert.ok(vector !== undefined && vector.length > 0);
    await assertRestarted(tree, id);
  });
}

test('a server that loads for longer than the bounds of its liveness is left alone', async () => {
  await using bench = await openBench();
  const { liveness, ...spec } = ollamaSpec(bench.options({ FAKE_LOAD_MS: '700' }));
  assert.ok(liveness !== undefined);
  let probes = 0;
  const probe: typeof liveness.probe = async (...asked) => {
    const result = await liveness.probe(...asked);
    probes += 1;
    return result;
  };
  const tree = bench.start({
    ...spec,
    liveness: { periodMs: 20, timeoutMs: 500, failureThreshold: 1, probe },
  });
  const roster = rosterOf(tree, bench);
  await tree.untilReady([id], soon());
  const before = probes;
  // Other options than those it was loaded with: it loads again.
  const options = { num_ctx: 256, num_batch: 256 };
  const embed = makeEmbed({ ...bench.options(), options, roster, prefixes });
  await embed({ texts: ['a'], kind: 'passage', signal: soon() });
  assert.ok(probes > before + 1, `${probes - before} probes were answered during the load`);
  assert.equal(tree.statuses()[0]?.restarts, 0);
});

test('a reranker that is stopped is started again, and the request in its hands is not left waiting', async () => {
  await using bench = await openBench();
  const spec = lexicalRerankerSpec({ ...common(bench, 'reranker'), id: 'reranker', gpus: [] });
  const tree = bench.start(impatient(spec));
  const rerank = makeRerank(makeSidecars(readyChildren(tree, ['reranker'])));
  await stop(tree, 'reranker');
  const scores = rerank({ query: 'krill', passages: ['krill', 'trains'], signal: soon() });
  // A child that is continued to be ended may first answer what it was asked.
  await scores.catch((error: unknown) => assert.equal(codeOf(error), 'model-unavailable'));
  await assertRestarted(tree, 'reranker');
});

for (const [name, make] of [
  ['store', (bench: Bench) => storeSpec(bench)],
  [
    'reranker',
    (bench: Bench) => lexicalRerankerSpec({ ...common(bench, 'reranker'), id: 'reranker', gpus: [] }),
  ],
] as const) {
  test(`a ping of the ${name} is answered with a pong, and missed once its channel is closed`, async () => {
    await using bench = await openBench();
    const { liveness, ...spec } = make(bench);
    const tree = bench.start(spec);
    const channel = await channelOf(tree, name)(soon());
    const running = tree.running(name) ?? assert.fail();
    const said: unknown[] = [];
    channel.onMessage((message) => said.push(message));
    assert.deepEqual(await liveness?.probe(running, soon()), { outcome: 'alive' });
    assert.deepEqual(said, [{ pong: true }]);
    await tree[Symbol.asyncDispose]();
    assert.deepEqual(await liveness?.probe(running, soon()), {
      outcome: 'missed',
      reason: 'its channel is closed',
    });
  });
}

const openIndex = (tree: Tree): Store & AsyncDisposable =>
  openStore({ untilChannel: channelOf(tree, 'store'), signal: soon() });

const storeSpec = (bench: Bench): ChildSpec =>
  storeHostSpec({ ...common(bench, 'store'), dir: path.join(bench.dir, 'index') });

test('a store host that is stopped is started again, and what was on its way is written once', async () => {
  await using bench = await openBench();
  const tree = bench.start(impatient(storeSpec(bench)));
  await using store = openIndex(tree);
  await store.beginWriting(encoder, 'run');
  await store.append(rowsOf({ key: 'one', texts: ['first', 'second'] }));
  await stop(tree, 'store');
  await store.append(rowsOf({ key: 'two', texts: ['third', 'fourth'] }));
  await assertRestarted(tree, 'store');
  const { documents, chunks } = await store.inspect();
  assert.deepEqual([documents.processed, chunks], [2, 4]);
});

test('an embedder that is stopped during an ingest costs no document', async () => {
  await using bench = await openBench();
  const input = path.join(bench.dir, 'input');
  await mkdir(input);
  const text = (at: number) =>
    Array.from({ length: 20 }, (_, line) => `Whale ${at} ate ${line} krill.`).join('\n\n');
  for (let at = 0; at < 40; at += 1) await writeFile(path.join(input, `${at}.txt`), text(at));
  const tree = bench.start(
    impatient(embeddedSpec({ ...bench.options(), role: 'embed' })),
    impatient(storeSpec(bench)),
  );
  const embed = makeEmbed({
    ...bench.options(),
    dimensions: null,
    roster: rosterOf(tree, bench),
    prefixes,
  });
  let requests = 0;
  const stoppedOnTheWay: Embed = async (request) => {
    if ((requests += 1) === 3) await stop(tree, id);
    return embed(request);
  };
  await using store = openIndex(tree);
  await store.beginWriting({ ...encoder, dimensions: 384 }, 'run');
  const chunker = { targetTokens: 32, overlapTokens: 0 };
  await using parser = openParserPool({ threads: 1, chunker, maxFileBytes: 1e6, timeoutMsPerFile: 30_000 });
  const parts = { store, parser, embed: stoppedOnTheWay, chunker, stamps: noStamps };
  const report = await ingest({ inputs: [input], signal: soon() }, parts);
  assert.deepEqual([report.complete, report.documents.processed, report.documents.failed], [true, 40, 0]);
  assert.ok(requests > 3, `${requests} requests`);
  await assertRestarted(tree, id);
});
