import assert from 'node:assert/strict';
import { test } from 'node:test';
import { codeOf } from '../../src/errors.ts';
import { makeGenerate } from '../../src/models/generate.ts';
import { openOllamaHttp } from '../../src/models/ollama-http.ts';
import { makeRoster } from '../../src/models/roster.ts';
import type { Generate } from '../../src/models/types.ts';
import { startFake } from '../fixtures/fake-ollama/start.ts';
import type { Fake } from '../fixtures/fake-ollama/start.ts';

const { signal } = new AbortController();
const spoken = 'This is the fake Ollama speaking.';

interface Setup extends AsyncDisposable {
  readonly generate: Generate;
  readonly fake: Fake;
}

async function setUp(knobs: Record<string, string> = {}, options = { stallMs: 20_000 }): Promise<Setup> {
  const fake = await startFake(knobs);
  const http = openOllamaHttp(options);
  const roster = makeRoster();
  roster.set('generate', 'fake', { url: fake.url, model: 'qwen3:235b' });
  return {
    generate: makeGenerate({ roster, http, options: { num_ctx: 512 } }),
    fake,
    async [Symbol.asyncDispose]() {
      await http[Symbol.asyncDispose]();
      await fake[Symbol.asyncDispose]();
    },
  };
}

const ask = (
  content: string,
  over: { maxTokens?: number; signal?: AbortSignal } = {},
): Parameters<Generate>[0] => ({
  messages: [{ role: 'user', content }],
  maxTokens: 50,
  signal,
  ...over,
});

/** What was heard, and how it ended. */
async function listen(pieces: AsyncIterable<string>): Promise<{ text: string; error: unknown }> {
  let text = '';
  try {
    for await (const piece of pieces) text += piece;
    return { text, error: undefined };
  } catch (error) {
    return { text, error };
  }
}

test('generate() yields the answer in pieces, at most as many as allowed', async () => {
  await using server = await setUp();
  assert.deepEqual(await listen(server.generate(ask('Hello'))), { text: spoken, error: undefined });
  assert.equal((await listen(server.generate(ask('Hello', { maxTokens: 2 })))).text, 'This is ');
  assert.equal(
    server.fake.log().match(/loading model/g)?.length,
    1,
    'the number of tokens is no reason to load again',
  );
});

test('generate() tells at the end how many tokens the server counted in the prompt', async () => {
  await using server = await setUp();
  const told: number[] = [];
  await listen(server.generate({ ...ask('Hello there'), onPromptTokens: (tokens) => told.push(tokens) }));
  assert.equal(told.length, 1);
  assert.ok((told[0] ?? 0) > 0);
});

test('generate() refuses a prompt over the context instead of losing its front', async () => {
  await using server = await setUp();
  assert.equal(codeOf((await listen(server.generate(ask('long '.repeat(600))))).error), 'too-long');
});

for (const [mode, said] of [
  ['error', /CUDA error/],
  ['eof', /ended unfinished/],
  ['rst', /connection/],
] as const) {
  test(`generate() does not take a half answer for a whole one (${mode})`, async () => {
    await using server = await setUp({
      FAKE_DIE_AT: '3',
      FAKE_DIE_MODE: mode,
      FAKE_DIE_TIMES: '1',
      FAKE_TPS: '100',
    });
    const { text, error } = await listen(server.generate(ask('Hello')));
    assert.equal(codeOf(error), 'model-unavailable');
    assert.match((error as Error).message, said);
    assert.equal(text, 'This is the ', 'nothing is said twice');
  });

  test(`generate() begins again when nothing was heard yet (${mode})`, async () => {
    await using server = await setUp({ FAKE_DIE_AT: '0', FAKE_DIE_MODE: mode, FAKE_DIE_TIMES: '1' });
    assert.deepEqual(await listen(server.generate(ask('Hello'))), { text: spoken, error: undefined });
  });
}

test('generate() gives up on a request that failed twice', async () => {
  await using server = await setUp({ FAKE_DIE_AT: '0', FAKE_DIE_MODE: 'eof' });
  assert.equal(codeOf((await listen(server.generate(ask('Hello')))).error), 'model-unavailable');
});

test('generate() gives up on a server that takes the request and stays silent', async () => {
  await using server = await setUp({ FAKE_HANG: '1' }, { stallMs: 50 });
  const { error } = await listen(server.generate(ask('Hello')));
  assert.match((error as Error).message, /no byte came/);
});

for (const how of ['leaving the loop', 'aborting'] as const) {
  test(`${how} ends the work of the server`, async () => {
    await using server = await setUp({ FAKE_TPS: '20' });
    const stop = new AbortController();
    const answer = server.generate(ask('Hello', { signal: stop.signal }));
    const heard = await listen(endAfterFirst(answer, how === 'aborting' ? stop : undefined));
    assert.equal(codeOf(heard.error), how === 'aborting' ? 'aborted' : undefined);
    await until(() => server.fake.log().includes('generation cancelled'));
  });
}

async function* endAfterFirst(answer: AsyncIterable<string>, stop?: AbortController): AsyncGenerator<string> {
  for await (const piece of answer) {
    yield piece;
    if (stop === undefined) return;
    stop.abort();
  }
}

/** Looks again whenever the loop turns; node:test's own limit bounds it. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}
