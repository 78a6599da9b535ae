import assert from 'node:assert/strict';
import { test } from 'node:test';
import { codeOf, type RagError } from '../../src/errors.ts';
import { culpritOf } from '../../src/models/embed-parts.ts';
import { makeEmbed } from '../../src/models/embed.ts';
import { openOllamaHttp } from '../../src/models/ollama-http.ts';
import { prefixesFor } from '../../src/models/prefixes.ts';
import { makeRoster } from '../../src/models/roster.ts';
import type { Embed, Roster } from '../../src/models/types.ts';
import { startFake } from '../fixtures/fake-ollama/start.ts';

const model = 'qwen3-embedding:8b';
const { signal } = new AbortController();
const plain = { query: '', passage: '' };

interface Setup extends AsyncDisposable {
  readonly embed: Embed;
  readonly roster: Roster;
  readonly log: () => string;
  readonly loads: () => number;
  readonly pid: number;
}

async function setUp(
  knobs: Record<string, string> = {},
  name = model,
  dimensions: number | null = 64,
): Promise<Setup> {
  const fake = await startFake(knobs);
  const http = openOllamaHttp();
  const roster = makeRoster();
  roster.set('embed', 'fake', { url: fake.url, model: name });
  const options = { num_ctx: 512, num_batch: 512 };
  return {
    embed: makeEmbed({ roster, http, options, dimensions, prefixes: plain }),
    roster,
    log: fake.log,
    loads: () => fake.log().match(/loading model via/g)?.length ?? 0,
    pid: fake.pid,
    async [Symbol.asyncDispose]() {
      await http[Symbol.asyncDispose]();
      await fake[Symbol.asyncDispose]();
    },
  };
}

const many = (count: number, special: Record<number, string> = {}): string[] =>
  Array.from({ length: count }, (_, at) => special[at] ?? `text number ${at} about topic${at}`);

test('embed() gives a unit vector of the wanted size for each text, in order', async () => {
  await using server = await setUp();
  const texts = many(64);
  const together = await server.embed({ texts, kind: 'passage', signal });
  assert.equal(together.length, 64);
  assert.ok(together.every((vector) => vector.length === 64 && Math.abs(Math.hypot(...vector) - 1) < 1e-5));
  const [alone] = await server.embed({ texts: texts.slice(40, 41), kind: 'passage', signal });
  assert.deepEqual(together[40], alone);
  assert.equal(server.loads(), 1, 'the same options load the model once');
});

test('embed() of no texts asks nobody', async () => {
  await using http = openOllamaHttp();
  const embed = makeEmbed({
    roster: makeRoster(),
    http,
    options: { num_ctx: 1 },
    dimensions: null,
    prefixes: plain,
  });
  assert.deepEqual(await embed({ texts: [], kind: 'passage', signal }), []);
});

test('embed() puts the prefix of the kind before each text', async () => {
  await using server = await setUp();
  const { query } = prefixesFor('nomic-embed-text');
  await using http = openOllamaHttp();
  const embed = makeEmbed({
    roster: server.roster,
    http,
    options: { num_ctx: 512 },
    dimensions: 64,
    prefixes: { query, passage: '' },
  });
  const [asQuery] = await embed({ texts: ['whales'], kind: 'query', signal });
  const [spelled] = await embed({ texts: [`${query}whales`], kind: 'passage', signal });
  const [asPassage] = await embed({ texts: ['whales'], kind: 'passage', signal });
  assert.deepEqual(asQuery, spelled);
  assert.notDeepEqual(asQuery, asPassage);
});

test('embed() refuses a text over the context instead of cutting it, and names it', async () => {
  await using server = await setUp();
  const error = await server
    .embed({ texts: many(9, { 6: 'long '.repeat(600) }), kind: 'passage', signal })
    .catch((e: unknown) => e);
  assert.equal(codeOf(error), 'too-long');
  assert.equal(culpritOf(error), 6);
});

for (const version of ['0.12.3', '0.33.0']) {
  test(`embed() finds the text without a finite vector (${version})`, async () => {
    await using server = await setUp({ FAKE_NAN: 'poison', FAKE_VERSION: version });
    const error = await server
      .embed({ texts: many(16, { 11: 'poison' }), kind: 'passage', signal })
      .catch((e: unknown) => e);
    assert.equal(codeOf(error), 'bad-vector');
    assert.equal(culpritOf(error), 11);
  });

  test(`embed() finds the text that ends the runner (${version})`, async () => {
    await using server = await setUp({ FAKE_CRASH: 'poison', FAKE_VERSION: version });
    const error = await server
      .embed({ texts: many(8, { 3: 'poison' }), kind: 'passage', signal })
      .catch((e: unknown) => e);
    assert.equal(codeOf(error), 'model-refused');
    assert.equal(culpritOf(error), 3);
    const deaths = server.log().match(/terminated/g)?.length ?? 0;
    assert.ok(deaths <= 2 + 1, `${deaths} deaths to find one of 8 texts`);
  });
}

test('embed() blames no text when the server fails every one', async () => {
  await using server = await setUp({
    FAKE_CRASH: '',
    FAKE_LOAD_ERROR: 'llama-server process has terminated',
  });
  const error = await server.embed({ texts: many(4), kind: 'passage', signal }).catch((e: unknown) => e);
  assert.equal(codeOf(error), 'model-unavailable');
  assert.equal(culpritOf(error), undefined);
});

test('embed() blames no text when the model is no encoder', async () => {
  await using server = await setUp({ FAKE_NO_EMBED: '1' });
  const error = await server.embed({ texts: many(4), kind: 'passage', signal }).catch((e: unknown) => e);
  assert.equal(codeOf(error), 'model-refused');
  assert.equal(culpritOf(error), undefined);
});

test('embed() of a missing model names no text and says how to get the model', async () => {
  await using server = await setUp({}, 'nomic-embed-text');
  const error = await server.embed({ texts: many(4), kind: 'passage', signal }).catch((e: unknown) => e);
  assert.equal(codeOf(error), 'model-refused');
  assert.equal((error as RagError).hint, 'ollama pull nomic-embed-text');
  assert.equal(culpritOf(error), undefined);
});

test('embed() refuses an answer that holds fewer vectors than texts', async () => {
  await using server = await setUp({ FAKE_OMIT: '1' });
  await assert.rejects(server.embed({ texts: many(2), kind: 'passage', signal }), { code: 'bad-vector' });
});

test('embed() asks a busy server again', async () => {
  await using server = await setUp({ FAKE_BUSY: '2' });
  assert.equal((await server.embed({ texts: many(2), kind: 'passage', signal })).length, 2);
});

test('embed() moves to the next server when its own dies with the request', async () => {
  await using dying = await setUp({ FAKE_EXIT: 'topic' });
  await using other = await startFake();
  const embedding = dying.embed({ texts: many(3), kind: 'passage', signal });
  dying.roster.set('embed', 'fake', { url: other.url, model });
  assert.equal((await embedding).length, 3);
});

test('embed() waits for a server through a restart, until its signal ends', async () => {
  await using server = await setUp();
  server.roster.set('embed', 'fake', undefined);
  const stop = new AbortController();
  const waiting = server.embed({ texts: many(1), kind: 'passage', signal: stop.signal });
  stop.abort();
  await assert.rejects(waiting, { code: 'aborted' });
});
