/** `/v1/completions` and `/v1/embeddings` on top of Ollama's own routes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { completionAnswer } from '../../../src/serve/openai/answers.ts';
import { embeddingsAnswer } from '../../../src/serve/openai/texts.ts';
import { openaiErrorSchema } from '../../../src/serve/contract/route.ts';
import { eventsOf, json, modelOf, ollamaOf, saying, upstream } from '../model-servers.ts';
import { open, post } from '../open.ts';

const over = { done: true, done_reason: 'stop', prompt_eval_count: 7, eval_count: 3 };
const model = modelOf.generate;

test('a completion is /api/generate, whole or as events', async () => {
  await using whole = await saying({ response: 'and so on', ...over });
  await using parts = await saying(
    { response: 'and ', done: false },
    { response: 'so on', done: false },
    { response: '', ...over },
  );
  for (const [server, stream] of [
    [whole, false],
    [parts, true],
  ] as const) {
    await using endpoint = await open({ ollama: ollamaOf({ generate: server.url }) });
    const answer = await post(`${endpoint.url}/v1/completions`, {
      model,
      prompt: 'once',
      suffix: 'end',
      stream,
      max_tokens: 9,
    });
    const { path, body } = server.asked[0] ?? assert.fail();
    assert.equal(path, '/api/generate');
    assert.deepEqual([body['prompt'], body['suffix'], body['shift']], ['once', 'end', false]);
    const text = await answer.text();
    const answers = stream ? eventsOf(text).slice(0, -1) : [text];
    const said = answers.flatMap((each) => completionAnswer.strict().parse(JSON.parse(each)).choices);
    assert.equal(said.map((choice) => choice.text).join(''), 'and so on');
    assert.equal(said.at(-1)?.finish_reason, 'stop');
  }
});

test('vectors come as numbers, digit for digit, or as base64 of single floats; a text is never cut silently', async () => {
  const digits = '[0.10000000149011612,-0.25,1e-7]';
  await using one = await upstream(async (request, response) => {
    const body = await json(request);
    assert.deepEqual(body, {
      model: 'embedder',
      input: ['a', 'b'],
      truncate: false,
      dimensions: 3,
      keep_alive: -1,
      options: { num_ctx: 512 },
    });
    const text = `{"model":"embedder","embeddings":[${digits},${digits}],"total_duration":1,"prompt_eval_count":9}`;
    for (const piece of [text.slice(0, 60), text.slice(60, 80), text.slice(80)]) {
      response.write(piece);
      await new Promise(setImmediate);
    }
    response.end();
  });
  await using endpoint = await open({ ollama: ollamaOf({ embed: one.url }) });
  const embed = async (format?: string): Promise<string> => {
    const body = {
      model: 'embedder',
      input: ['a', 'b'],
      dimensions: 3,
      ...(format && { encoding_format: format }),
    };
    const answer = await post(`${endpoint.url}/v1/embeddings`, body);
    return await answer.text();
  };
  const asNumbers = await embed();
  assert.ok(asNumbers.includes(`"index":1,"embedding":${digits}`), asNumbers);
  const { data, usage } = embeddingsAnswer.strict().parse(JSON.parse(asNumbers));
  assert.deepEqual(
    data.map(({ index }) => index),
    [0, 1],
  );
  assert.deepEqual(usage, { prompt_tokens: 9, total_tokens: 9 });
  const [first] = embeddingsAnswer.strict().parse(JSON.parse(await embed('base64'))).data;
  const bytes = Buffer.from(String(first?.embedding), 'base64');
  assert.deepEqual(
    [0, 4, 8].map((at) => bytes.readFloatLE(at)),
    [0.1, -0.25, 1e-7].map(Math.fround),
  );
});

test('a vector that is not finite is no vector', async () => {
  await using one = await upstream((_request, response) => response.end('{"embeddings":[[0.1,null]]}'));
  await using endpoint = await open({ ollama: ollamaOf({ embed: one.url }) });
  const answer = await post(`${endpoint.url}/v1/embeddings`, { model: 'embedder', input: 'a' });
  assert.equal(answer.status, 502);
  assert.equal(openaiErrorSchema.parse(await answer.json()).error.code, 'bad-vector');
});

test('vectors that are fewer than the texts are no answer: each would be taken for another', async () => {
  await using one = await upstream((_request, response) => response.end('{"embeddings":[[1,2],[3,4]]}'));
  await using endpoint = await open({ ollama: ollamaOf({ embed: one.url }) });
  const body = { model: 'embedder', input: ['a', 'b', 'c'] };
  const asked = post(`${endpoint.url}/v1/embeddings`, body).then((answer) => answer.text());
  const said = await asked.catch((error: unknown) => String(error));
  assert.throws(() => embeddingsAnswer.parse(JSON.parse(said)), said);
});
