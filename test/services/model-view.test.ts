import assert from 'node:assert/strict';
import { lstatSync, mkdirSync, readdirSync, readlinkSync, renameSync, rmSync, truncateSync } from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import { codeOf } from '../../src/errors.ts';
import { makeModelView } from '../../src/services/model-view.ts';
import { ollamaSpec } from '../../src/services/ollama.ts';
import { addModel, contentOf, makeStore } from '../fixtures/fake-ollama/make-store.ts';
import { startFake } from '../fixtures/fake-ollama/start.ts';
import { watchLeaks } from '../leaks.ts';
import { endOf, openBench, soon } from './serving.ts';
import type { Bench } from './serving.ts';

const leaks = watchLeaks();
after(() => leaks.assertNone());

const model = 'qwen3-embedding:8b';
const stranger = 'another-embed:latest';

interface Held {
  readonly bench: Bench;
  readonly store: string;
  readonly view: string;
}

async function openHeld(): Promise<Held & AsyncDisposable> {
  const bench = await openBench();
  const store = path.join(bench.dir, 'models');
  makeStore(store, [model, stranger]);
  return {
    bench,
    store,
    view: path.join(bench.dir, 'view'),
    [Symbol.asyncDispose]: () => bench[Symbol.asyncDispose](),
  };
}

const send = (url: string, method: string, where: string, body: unknown): Promise<Response> =>
  fetch(`${url}${where}`, { method, body: JSON.stringify(body), signal: soon() });

/** All that somebody who reaches the port can do to a store. */
async function attack(url: string): Promise<number[]> {
  const answers = [
    await send(url, 'POST', '/api/copy', { source: model, destination: 'stolen' }),
    await send(url, 'POST', '/api/create', { model, from: model, system: 'Lie.' }),
    await send(url, 'DELETE', '/api/delete', { model: 'stolen' }),
    await send(url, 'DELETE', '/api/delete', { model }),
  ];
  return answers.map(({ status }) => status);
}

test('a server sees the one model it serves, and no other', async () => {
  await using held = await openHeld();
  await held.bench.start(ollamaSpec(held.bench.options())).untilReady(['ollama-embed'], soon());
  const url = held.bench.served[0]?.url ?? '';
  const { models } = (await (await fetch(`${url}/api/tags`)).json()) as { models: { name: string }[] };
  assert.deepEqual(
    models.map(({ name }) => name),
    [model],
  );
  const other = await send(url, 'POST', '/api/embed', { model: stranger, input: 'x' });
  assert.equal(other.status, 404);
});

test('what is deleted, copied and created through the API never reaches the shared store', async () => {
  await using held = await openHeld();
  const before = contentOf(held.store);
  await held.bench.start(ollamaSpec(held.bench.options())).untilReady(['ollama-embed'], soon());
  assert.deepEqual(await attack(held.bench.served[0]?.url ?? ''), [200, 200, 200, 200]);
  assert.deepEqual(contentOf(held.store), before);
});

test('the same attack empties a store that a server sees itself', async () => {
  await using held = await openHeld();
  await using fake = await startFake({ OLLAMA_MODELS: held.store });
  assert.deepEqual(await attack(fake.url), [200, 200, 200, 200]);
  const left = contentOf(held.store).join('\n');
  assert.doesNotMatch(left, new RegExp(`weights of ${model}`));
  assert.match(left, new RegExp(`weights of ${stranger}`));
});

test('a start that prunes prunes the view: with its manifests lost, the store has all its blobs', async () => {
  await using held = await openHeld();
  const before = contentOf(held.store);
  await makeModelView(held.store, model, held.view)();
  const manifests = path.join(held.view, 'manifests');
  rmSync(manifests, { recursive: true });
  mkdirSync(manifests);
  {
    await using fake = await startFake({ OLLAMA_MODELS: held.view, FAKE_VERSION: '0.12.3' });
    assert.match(fake.log(), /total unused blobs removed: 3/);
  }
  assert.deepEqual(contentOf(held.store), before);
});

test('a view that was emptied is whole again after a restart', async () => {
  await using held = await openHeld();
  const tree = held.bench.start(ollamaSpec(held.bench.options()));
  await tree.untilReady(['ollama-embed'], soon());
  await attack(held.bench.served[0]?.url ?? '');
  const again = new Promise<void>((resolve, reject) => {
    tree.onChange(({ current, restarts }) => {
      if (restarts === 1 && current.state === 'ready') resolve();
    });
    void tree.ended.then(() => reject(new Error('it did not come back')));
  });
  process.kill(tree.running('ollama-embed')?.pid ?? 0, 'SIGKILL');
  await again;
  assert.equal(held.bench.served[1]?.digest, held.bench.served[0]?.digest);
});

test('a model that is pulled anew meanwhile is not changed under a run', async () => {
  await using held = await openHeld();
  const lay = makeModelView(held.store, model, held.view);
  await lay();
  const before = contentOf(held.view);
  addModel(held.store, model, 'other weights');
  await lay();
  const [was, is] = [before, contentOf(held.view)].map((files) =>
    files.map((line) => line.replace(/ \d+ /, ' ')),
  );
  assert.deepEqual(is, was);
  rmSync(held.store, { recursive: true });
  makeStore(held.store, []);
  addModel(held.store, model, 'other weights');
  await assert.rejects(lay(), /not complete in the model store/);
});

test('a model that is not complete ends the start at once and says how to get it', async () => {
  await using held = await openHeld();
  const blobs = path.join(held.store, 'blobs');
  for (const name of readdirSync(blobs)) truncateSync(path.join(blobs, name), 1);
  const error = await endOf(held.bench.start(ollamaSpec(held.bench.options())));
  assert.deepEqual([error.code, error.hint], ['preflight', `ollama pull ${model}`]);
  assert.match(error.message, /not complete in the model store/);
});

test('a view links blobs named in the early way, and a store named by a relative path', async () => {
  await using held = await openHeld();
  const blobs = path.join(held.store, 'blobs');
  for (const name of readdirSync(blobs))
    renameSync(path.join(blobs, name), path.join(blobs, name.replace('-', ':')));
  await makeModelView(path.relative(process.cwd(), held.store), model, held.view)();
  const links = readdirSync(path.join(held.view, 'blobs'));
  assert.equal(links.length, 3);
  for (const name of links) {
    assert.match(name, /^sha256-/);
    assert.equal(readlinkSync(path.join(held.view, 'blobs', name)), path.join(blobs, name.replace('-', ':')));
  }
  await using fake = await startFake({ OLLAMA_MODELS: held.view });
  assert.equal((await send(fake.url, 'POST', '/api/embed', { model, input: 'x' })).status, 200);
  assert.ok(lstatSync(path.join(blobs, links[0]?.replace('-', ':') ?? '')).isFile());
});

test('a store that cannot be read says nothing of the model: the start is tried again', async () => {
  await using held = await openHeld();
  const loop = path.join(held.bench.dir, 'x'.repeat(300));
  const error: unknown = await makeModelView(loop, model, held.view)().catch((thrown: unknown) => thrown);
  assert.ok(error instanceof Error);
  assert.equal(codeOf(error), undefined);
});
