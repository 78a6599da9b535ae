import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, test } from 'node:test';
import { codeOf } from '../../src/errors.ts';
import { makeEmbed } from '../../src/models/embed.ts';
import { makeRoster } from '../../src/models/roster.ts';
import { ollamaSpec, serverSpec } from '../../src/services/ollama.ts';
import type { ChildSpec } from '../../src/supervise/spec.ts';
import { watchLeaks } from '../leaks.ts';
import { endOf, openBench, openForeign, soon } from './serving.ts';

const leaks = watchLeaks();
after(() => leaks.assertNone());

/** The same, with something done to its address before it is started for the first time. */
const withFirstAddress = (spec: ChildSpec, prepare: (port: number) => Promise<void>): ChildSpec => {
  let launches = 0;
  return {
    ...spec,
    launch: async (signal) => {
      const launch = await spec.launch(signal);
      launches += 1;
      if (launches === 1) await prepare(Number(launch.env['OLLAMA_HOST']?.split(':')[1]));
      return launch;
    },
  };
};

for (const version of ['0.12.3', '0.33.0']) {
  test(`an embedder is ready when its model embeds on its GPUs (${version})`, async () => {
    await using bench = await openBench();
    const tree = bench.start(ollamaSpec(bench.options({ FAKE_VERSION: version })));
    await tree.untilReady(['ollama-embed'], soon());
    const [served] = bench.served;
    assert.deepEqual(
      [served?.model, served?.version, served?.dimensions, served?.vramBytes],
      ['qwen3-embedding:8b', version, 64, served?.bytes],
    );
    assert.match(served?.digest ?? '', /^[0-9a-f]{64}$/);
    const [start] = await bench.starts();
    assert.deepEqual(start?.argv, ['serve']);
    assert.equal(start?.env['CUDA_VISIBLE_DEVICES'], 'GPU-a,GPU-b');
    assert.equal(start?.env['HOME'], start?.cwd);
  });
}

test('calls with the same options find the model as the probe left it', async () => {
  await using bench = await openBench();
  const options = bench.options();
  await bench.start(ollamaSpec(options)).untilReady(['ollama-embed'], soon());
  const roster = makeRoster();
  roster.set('embed', 'ollama-embed', bench.served[0]);
  const embed = makeEmbed({ ...options, roster, prefixes: { query: '', passage: '' } });
  await embed({ texts: ['a', 'b'], kind: 'passage', signal: soon() });
  const log = await readFile(options.logFile, 'utf8');
  assert.equal(log.match(/loading model via/g)?.length, 1);
});

test('a generator is ready when it says a token', async () => {
  await using bench = await openBench();
  const options = {
    ...bench.options(),
    id: 'ollama-generate',
    role: 'generate',
    model: 'qwen3:235b',
    dimensions: null,
  } as const;
  await bench.start(ollamaSpec(options)).untilReady(['ollama-generate'], soon());
  assert.deepEqual([bench.served[0]?.model, bench.served[0]?.dimensions], ['qwen3:235b', null]);
  const log = await readFile(options.logFile, 'utf8');
  assert.equal(log.match(/loading model via/g)?.length, 1);
});

test('a missing model ends the start at once and says how to get it', async () => {
  await using bench = await openBench();
  const tree = bench.start(ollamaSpec(bench.options({ FAKE_MODELS: 'other' })));
  const error = await endOf(tree);
  assert.deepEqual([error.code, error.hint], ['preflight', 'ollama pull qwen3-embedding:8b']);
  assert.equal((await bench.starts()).length, 1);
});

for (const [what, knobs, said] of [
  ['a server that finds no GPU', { FAKE_NO_GPU: '1' }, /found no GPU/],
  ['a model that is half on the CPU', { FAKE_VRAM_FRACTION: '0.5' }, /2500000000 of 5000000000 bytes/],
] as const) {
  test(`${what} is a failure, not a slow service`, async () => {
    await using bench = await openBench();
    const error = await endOf(bench.start(ollamaSpec(bench.options(knobs))));
    assert.equal(error.code, 'preflight');
    assert.match(error.message, said);
  });

  test(`${what} will do where the CPU is allowed`, async () => {
    await using bench = await openBench();
    const spec = ollamaSpec({ ...bench.options(knobs), allowCpu: true });
    await bench.start(spec).untilReady(['ollama-embed'], soon());
  });
}

test('a model that does not fit is not loaded again and again', async () => {
  await using bench = await openBench();
  const text = 'model requires more system memory (152.6 GiB) than is available (64.0 GiB)';
  const error = await endOf(bench.start(ollamaSpec(bench.options({ FAKE_LOAD_ERROR: text }))));
  assert.equal(error.code, 'preflight');
  assert.match(error.message, /152\.6 GiB/);
});

test('a model whose load fails three times is given up', async () => {
  await using bench = await openBench();
  const options = bench.options({ FAKE_LOAD_ERROR: 'llama-server process has terminated: exit status 2' });
  const error = await endOf(bench.start(ollamaSpec(options)));
  assert.equal(error.code, 'service-failed');
  assert.match(error.message, /failed 3 times/);
});

test('a port that was taken in the meantime means another start on another port', async () => {
  await using bench = await openBench();
  await using foreign = openForeign();
  let taken = 0;
  const spec = withFirstAddress(ollamaSpec(bench.options()), async (port) => {
    taken = port;
    await foreign.listen(port);
  });
  const tree = bench.start(spec);
  await tree.untilReady(['ollama-embed'], soon());
  assert.equal(tree.statuses()[0]?.restarts, 1);
  assert.notEqual(new URL(bench.served[0]?.url ?? '').port, String(taken));
});

test('a foreign server on our port is never asked, however well it would answer', async () => {
  await using bench = await openBench();
  await using foreign = openForeign();
  // Our own child lives, but listens nowhere.
  const options = { ...bench.options(), startTimeoutMs: 400, command: ['/bin/sleep', '60'] as const };
  const spec = withFirstAddress(serverSpec(options), foreign.listen);
  const error = await endOf(bench.start({ ...spec, restart: 'temporary' }));
  assert.match(error.message, /another program answers there/);
  assert.equal(foreign.asked(), 0);
});

test('a server that takes connections and never answers is not ready', async () => {
  await using bench = await openBench();
  const spec = ollamaSpec({ ...bench.options({ FAKE_HANG: '1' }), startTimeoutMs: 300 });
  const error = await endOf(bench.start({ ...spec, restart: 'temporary' }));
  assert.match(error.message, /not ready after/);
});

test('a server that was killed comes back on another port, without its old runner', async () => {
  await using bench = await openBench();
  const tree = bench.start(ollamaSpec(bench.options()));
  await tree.untilReady(['ollama-embed'], soon());
  const again = new Promise<void>((resolve) => {
    tree.onChange(({ current, restarts }) => {
      if (current.state === 'ready' && restarts === 1) resolve();
    });
  });
  process.kill(tree.running('ollama-embed')?.pid ?? 0, 'SIGKILL');
  await again;
  assert.equal(bench.served.length, 2);
  assert.notEqual(bench.served[0]?.url, bench.served[1]?.url);
});

test('a program that cannot be run, and one that is no Ollama, are not started again', async () => {
  await using bench = await openBench();
  const missing = await endOf(bench.start(ollamaSpec({ ...bench.options(), bin: '/nowhere/ollama' })));
  assert.equal(codeOf(missing), 'preflight');
  assert.match(missing.message, /\/nowhere\/ollama/);
  const options = bench.options();
  const flagged = serverSpec({ ...options, command: [options.bin, 'serve', '--host', '0.0.0.0'] });
  const other = await endOf(bench.start(flagged));
  assert.equal(codeOf(other), 'preflight');
  assert.match(other.message, /does not know a flag/);
});
