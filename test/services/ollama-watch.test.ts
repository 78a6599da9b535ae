/** Runners that hang behind a server that answers for itself, and what is done about it, with real processes. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { RagError } from '../../src/errors.ts';
import { makeGenerate } from '../../src/models/generate.ts';
import { embedBody } from '../../src/models/ollama-body.ts';
import { openOllamaHttp } from '../../src/models/ollama-http.ts';
import { makeRoster } from '../../src/models/roster.ts';
import { runnersOf } from '../../src/services/runners.ts';
import { watchLeaks } from '../leaks.ts';
import { until } from '../until.ts';
import { openBench, soon, type Bench } from './serving.ts';
import { embedOne, id, outcomes, poison, startWatched } from './watching.ts';

const leaks = watchLeaks();
after(() => leaks.assertNone());

test('a request that blocks the server only while its client waits is ended, and nothing else', async () => {
  await using bench = await openBench();
  const watched = await startWatched(bench, { ...poison, FAKE_RUNNER_HANG_UNTIL: 'left' });
  const before = runnersOf(watched.tree.running(id)?.pid ?? 0).map(({ pid }) => pid);
  assert.equal(before.length, 1);
  const { url } = bench.served[0] ?? assert.fail();
  const body = embedBody('qwen3-embedding:8b', ['poison'], bench.options().options, 64);
  await assert.rejects(bench.http.json({ url, path: '/api/embed', body, signal: soon() }), {
    message: /its server hung \(no byte for 0\.\d+ s, and its runners have computed nothing for 0\.2 s\)/,
  });
  await embedOne(watched, 'a whale');
  assert.deepEqual(outcomes(watched), [['end its requests', 'answered']]);
  const runners = runnersOf(watched.tree.running(id)?.pid ?? 0).map(({ pid }) => pid);
  assert.deepEqual([runners, watched.restarts()], [before, 0]);
});

test('a runner that hangs is killed, and what was in its hands is answered by the next', async () => {
  await using bench = await openBench();
  const watched = await startWatched(bench, poison);
  const { url } = bench.served[0] ?? assert.fail();
  const body = embedBody('qwen3-embedding:8b', ['poison'], bench.options().options, 64);
  const hanging = bench.http.json({ url, path: '/api/embed', body, signal: soon() });
  const ended = assert.rejects(hanging, { code: 'model-unavailable' });
  const behind = await Promise.all(['a', 'b', 'c'].map((text) => embedOne(watched, text)));
  await ended;
  assert.equal(behind.length, 3);
  assert.deepEqual(outcomes(watched), [
    ['end its requests', 'silent'],
    ['kill its runners', 'answered'],
  ]);
  assert.deepEqual([watched.restarts(), bench.served.length], [0, 1]);
});

test('a server whose new runners hang as well is started again, and says why', async () => {
  await using bench = await openBench();
  const watched = await startWatched(bench, { ...poison, FAKE_RUNNER_HANG_UNTIL: 'exit' });
  const { url } = bench.served[0] ?? assert.fail();
  const body = embedBody('qwen3-embedding:8b', ['poison'], bench.options().options, 64);
  const ended = assert.rejects(bench.http.json({ url, path: '/api/embed', body, signal: soon() }));
  await embedOne(watched, 'behind it');
  await ended;
  assert.deepEqual(outcomes(watched), [
    ['end its requests', 'silent'],
    ['kill its runners', 'silent'],
  ]);
  assert.equal(watched.restarts(), 1);
  assert.match(watched.reason() ?? '', /^its models hang: no byte for 0\.\d+ s/);
});

/** Tells how often a server was looked at, and how often asked for a word of ours. */
function countLooks(bench: Bench) {
  let [looks, canaries] = [0, 0];
  const http = openOllamaHttp();
  const { flights } = http;
  const traffic: typeof flights.traffic = (url) => {
    looks += 1;
    return flights.traffic(url);
  };
  const json: typeof http.json = (ask) => {
    if (ask.turn === 'probe') canaries += 1;
    return http.json(ask);
  };
  return {
    http: bench.keep({ ...http, json, flights: { ...flights, traffic } }),
    canaries: () => canaries,
    looks: () => looks,
    untilLooked: (times: number) => until(() => looks >= times, `${times} looks`),
  };
}

test('a server that computes is not touched, however long nothing comes back, until its time is up', async () => {
  await using bench = await openBench();
  const { http, untilLooked } = countLooks(bench);
  const knobs = { ...poison, FAKE_RUNNER_SPINS: '1' };
  const watched = await startWatched(
    bench,
    knobs,
    { lookMs: 50, flight: { idleMs: 200, silentMs: 1_500 } },
    http,
  );
  const asked = embedOne(watched, 'poison').catch((error: unknown) => error);
  await untilLooked(20);
  assert.deepEqual(watched.hangs, []);
  await until(() => watched.hangs.length > 0, 'a hang');
  assert.equal(watched.hangs[0]?.['reason'], 'no byte for 1.5 s');
  await watched.tree[Symbol.asyncDispose]();
  watched.roster.set('embed', id, undefined);
  void asked;
});

test('a server that nobody asks is asked now and then, and left alone when it answers', async () => {
  await using bench = await openBench();
  const counted = countLooks(bench);
  const watched = await startWatched(bench, {}, { restMs: 50 }, counted.http);
  const before = counted.canaries();
  await counted.untilLooked(60);
  const canaries = counted.canaries() - before;
  assert.ok(canaries >= 2 && canaries <= counted.looks() / 5, `${canaries} in ${counted.looks()} looks`);
  assert.deepEqual([watched.hangs, watched.restarts()], [[], 0]);
});

test('a server that nobody asks is asked for one word; a runner that hung meanwhile is found', async () => {
  await using bench = await openBench();
  const watched = await startWatched(bench, { ...poison }, { restMs: 50 });
  const { url } = bench.served[0] ?? assert.fail();
  const body = embedBody('qwen3-embedding:8b', ['poison'], bench.options().options, 64);
  const leaving = new AbortController();
  const asked = bench.http.json({ url, path: '/api/embed', body, turn: 'probe', signal: leaving.signal });
  const left = assert.rejects(asked, { code: 'aborted' });
  await until(() => watched.hangs.length > 0, 'a hang');
  leaving.abort();
  await left;
  await until(() => outcomes(watched).length >= 2, 'two remedies');
  assert.match(String(watched.hangs[0]?.['reason']), /^nobody had asked it/);
  assert.deepEqual(outcomes(watched).slice(0, 2), [
    ['end its requests', 'silent'],
    ['kill its runners', 'answered'],
  ]);
  assert.equal(watched.restarts(), 0);
});

test('a runner that ends at every request is a reason to start the server again, not one that ends now and then', async () => {
  await using bench = await openBench();
  const watched = await startWatched(bench, { FAKE_CRASH: 'crash' }, { maxDeaths: 3 });
  const { url } = bench.served[0] ?? assert.fail();
  const ask = (text: string) =>
    bench.http.json({
      url,
      path: '/api/embed',
      body: embedBody('qwen3-embedding:8b', [text], bench.options().options, 64),
      signal: soon(),
    });
  for (const text of ['crash', 'crash', 'well', 'crash', 'crash', 'well'])
    await ask(text).catch(() => assert.equal(text, 'crash'));
  assert.equal(watched.restarts(), 0);
  for (const text of ['crash', 'crash', 'crash']) await assert.rejects(ask(text));
  await until(() => watched.restarts() === 1, 'a restart');
  assert.equal(watched.reason(), 'its runner ended 3 times and nobody got an answer');
});

test('a model that falls to the CPU at a later load is brought back by a restart', async () => {
  await using bench = await openBench();
  const watched = await startWatched(bench, { FAKE_CPU_FROM_LOAD: '2' }, { placeMs: 20 });
  const other = { num_ctx: 256, num_batch: 256 };
  const { url } = bench.served[0] ?? assert.fail();
  const body = embedBody('qwen3-embedding:8b', ['a'], other, 64);
  // The model is seen on the CPU as soon as it is loaded, which may be before this answer: the restart takes it along.
  const asked = bench.http.json({ url, path: '/api/embed', body, signal: soon() });
  const ended = asked.catch((error: unknown) => {
    assert.ok(error instanceof RagError && error.code === 'model-unavailable', String(error));
  });
  await until(() => watched.restarts() === 1, 'a restart');
  await ended;
  assert.match(watched.reason() ?? '', /^qwen3-embedding:8b fell to the CPU: 0 of 5000000000 bytes/);
  await watched.tree.untilReady([id], soon());
});

test('a generator whose runner hangs is cured as well, and its answer comes whole', async () => {
  await using bench = await openBench();
  const generator = { role: 'generate', model: 'qwen3:235b', dimensions: null } as const;
  const watched = await startWatched(bench, poison, {}, bench.http, generator);
  const { url } = bench.served[0] ?? assert.fail();
  const options = { num_ctx: 512, num_batch: 512 };
  const roster = makeRoster();
  roster.set('generate', id, bench.served[0]);
  const generate = makeGenerate({ roster, http: bench.http, options });
  const say = async (content: string): Promise<string> => {
    let answer = '';
    const messages = [{ role: 'user', content }] as const;
    for await (const piece of generate({ messages, maxTokens: 20, signal: soon() })) answer += piece;
    return answer;
  };
  const refused = assert.rejects(say('What is poison?'), { code: 'model-unavailable' });
  await until(() => bench.http.flights.traffic(url).inFlight === 1, 'the question under way');
  assert.notEqual(await say('What is a whale?'), '');
  await refused;
  assert.deepEqual(outcomes(watched).slice(0, 2), [
    ['end its requests', 'silent'],
    ['kill its runners', 'answered'],
  ]);
  assert.equal(watched.restarts(), 0);
});

test('a server that dies while it is being cured keeps nobody waiting', async () => {
  await using bench = await openBench();
  const slow = { canary: { idleMs: 1e9, silentMs: 1e9 } };
  const watched = await startWatched(bench, poison, slow);
  const { url } = bench.served[0] ?? assert.fail();
  const body = embedBody('qwen3-embedding:8b', ['poison'], bench.options().options, 64);
  await assert.rejects(bench.http.json({ url, path: '/api/embed', body, signal: soon() }));
  const waiting = embedOne(watched, 'a whale');
  process.kill(watched.tree.running(id)?.pid ?? assert.fail(), 'SIGKILL');
  assert.equal((await waiting).length, 1);
  assert.deepEqual([outcomes(watched), watched.restarts()], [[], 1]);
});
