/** OpenAI's API on top of Ollama's: what goes on to the instance, and what comes back. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { modelAnswer, modelListAnswer } from '../../../src/serve/gateway/model-lists.ts';
import { chatCompletionAnswer, chatCompletionChunk } from '../../../src/serve/openai/answers.ts';
import { openaiErrorSchema } from '../../../src/serve/contract/route.ts';
import { chatBody, eventsOf, type Handler, modelOf, ollamaOf, saying, upstream } from '../model-servers.ts';
import { open, post } from '../open.ts';

const over = { done: true, done_reason: 'stop', prompt_eval_count: 7, eval_count: 3 };
const model = modelOf.generate;

test('a chat goes on in the words of /api/chat, with the options of the job', async () => {
  await using one = await saying({ message: { role: 'assistant', content: 'Yes.' }, ...over });
  await using endpoint = await open({ ollama: ollamaOf({ generate: one.url }) });
  const answer = await post(`${endpoint.url}/v1/chat/completions`, {
    model,
    messages: [
      { role: 'developer', content: 'Be short.' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'What ' },
          { type: 'text', text: 'is it?' },
          { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } },
        ],
      },
      {
        role: 'assistant',
        content: null,
        tool_calls: [
          { id: 'call_1', type: 'function', function: { name: 'look', arguments: '{"at":"sky"}' } },
        ],
      },
      { role: 'tool', tool_call_id: 'call_1', content: 'blue' },
    ],
    max_completion_tokens: 5,
    temperature: 0.2,
    stop: 'END',
    seed: 3,
    tools: [{ type: 'function', function: { name: 'look', parameters: { type: 'object' } } }],
    tool_choice: 'auto',
    response_format: { type: 'json_schema', json_schema: { name: 'it', schema: { type: 'object' } } },
    reasoning_effort: 'none',
    keep_alive: 0,
    options: { num_ctx: 1 },
    service_tier: 'auto',
  });
  assert.deepEqual(one.asked, [
    {
      path: '/api/chat',
      body: {
        model,
        messages: [
          { role: 'system', content: 'Be short.' },
          { role: 'user', content: 'What is it?', images: ['AAAA'] },
          {
            role: 'assistant',
            content: '',
            tool_calls: [{ id: 'call_1', function: { name: 'look', arguments: { at: 'sky' } } }],
          },
          { role: 'tool', content: 'blue', tool_call_id: 'call_1', tool_name: 'look' },
        ],
        stream: true,
        format: { type: 'object' },
        tools: [{ type: 'function', function: { name: 'look', parameters: { type: 'object' } } }],
        think: false,
        shift: false,
        keep_alive: -1,
        options: { temperature: 0.2, top_p: 1, num_predict: 5, seed: 3, stop: ['END'], num_ctx: 4096 },
      },
    },
  ]);
  const said = chatCompletionAnswer.strict().parse(await answer.json());
  assert.deepEqual(said.choices, [
    { index: 0, message: { role: 'assistant', content: 'Yes.' }, logprobs: null, finish_reason: 'stop' },
  ]);
  assert.deepEqual(said.usage, { prompt_tokens: 7, completion_tokens: 3, total_tokens: 10 });
  assert.equal(said.model, model);
  assert.equal(answer.headers.get('x-served-by'), 'generate-1');
});

test('a stream is events: the role once, thoughts apart, calls of tools with their numbers, an end and what it cost', async () => {
  await using one = await saying(
    { message: { content: '', thinking: 'Hm' }, done: false },
    { message: { content: 'Ye' }, done: false },
    { message: { content: 's' }, done: false },
    {
      message: {
        content: '',
        tool_calls: [
          { function: { name: 'look', arguments: { at: 1 } } },
          { id: 'mine', function: { name: 'look', arguments: {} } },
        ],
      },
      done: false,
    },
    { message: { content: '' }, ...over },
  );
  await using endpoint = await open({ ollama: ollamaOf({ generate: one.url }) });
  const body = chatBody('hello', { stream: true, stream_options: { include_usage: true } });
  const answer = await post(`${endpoint.url}/v1/chat/completions`, body);
  assert.match(answer.headers.get('content-type') ?? '', /^text\/event-stream/);
  const events = eventsOf(await answer.text());
  assert.equal(events.at(-1), '[DONE]');
  const chunks = events.slice(0, -1).map((event) => chatCompletionChunk.strict().parse(JSON.parse(event)));
  assert.equal(new Set(chunks.map(({ id }) => id)).size, 1);
  const deltas = chunks.flatMap(({ choices }) => choices.map(({ delta }) => delta));
  const [calls] = deltas.flatMap((delta) => (delta.tool_calls ? [delta.tool_calls] : []));
  assert.match(calls?.[0]?.id ?? '', /^call_/);
  assert.deepEqual(
    calls?.map(({ index, function: of }) => [index, of.name, of.arguments]),
    [
      [0, 'look', '{"at":1}'],
      [1, 'look', '{}'],
    ],
  );
  assert.equal(calls?.[1]?.id, 'mine');
  assert.deepEqual(
    deltas.map(({ tool_calls: _calls, ...rest }) => rest),
    [{ role: 'assistant', content: '', reasoning: 'Hm' }, { content: 'Ye' }, { content: 's' }, {}, {}],
  );
  assert.deepEqual(
    chunks.flatMap(({ choices }) => choices.map((choice) => choice.finish_reason)),
    [null, null, null, null, 'tool_calls'],
  );
  assert.deepEqual(chunks.at(-1)?.choices, []);
  assert.deepEqual(chunks.at(-1)?.usage, { prompt_tokens: 7, completion_tokens: 3, total_tokens: 10 });
});

test('a line that comes in two pieces, or two lines in one, are the same events', async () => {
  const bytes = Buffer.from(
    '{"message":{"content":"é"},"done":false}\n{"message":{"content":"b"},"done":false}\n{"message":{"content":""},"done":true}\n',
  );
  const cut = bytes.indexOf('é') + 1;
  await using one = await upstream((_request, response) => {
    response.write(bytes.subarray(0, cut));
    setImmediate(() => response.end(bytes.subarray(cut)));
  });
  await using endpoint = await open({ ollama: ollamaOf({ generate: one.url }) });
  const answer = await post(`${endpoint.url}/v1/chat/completions`, chatBody('hello', { stream: true }));
  const texts = eventsOf(await answer.text())
    .slice(0, -1)
    .flatMap((event) =>
      chatCompletionChunk.parse(JSON.parse(event)).choices.map(({ delta }) => delta.content ?? ''),
    );
  assert.equal(texts.join(''), 'éb');
});

test('an answer that was cut by its length says so, and its tokens come with their probabilities', async () => {
  const logprobs = [{ token: 'Y', logprob: -0.1 }];
  await using one = await saying({
    message: { content: 'Y', thinking: 'Hm' },
    logprobs,
    ...over,
    done_reason: 'length',
  });
  await using endpoint = await open({ ollama: ollamaOf({ generate: one.url }) });
  const body = chatBody('hello', { logprobs: true, top_logprobs: 2 });
  const said = chatCompletionAnswer.parse(
    await (await post(`${endpoint.url}/v1/chat/completions`, body)).json(),
  );
  assert.equal(said.choices[0]?.finish_reason, 'length');
  assert.equal(said.choices[0]?.message.reasoning, 'Hm');
  assert.deepEqual(said.choices[0]?.logprobs, { content: logprobs });
  assert.deepEqual([one.asked[0]?.body['logprobs'], one.asked[0]?.body['top_logprobs']], [true, 2]);
});

test('what Ollama has no word for is refused with what is wanted', async () => {
  await using one = await upstream(() => assert.fail('it was passed on'));
  await using endpoint = await open({ ollama: ollamaOf({ generate: one.url, embed: one.url }) });
  const refusals: [string, object, RegExp][] = [
    ['chat/completions', chatBody('x', { n: 2 }), /n is above 1/],
    ['chat/completions', { model, messages: [] }, /messages/],
    [
      'chat/completions',
      {
        model,
        messages: [
          { role: 'user', content: [{ type: 'image_url', image_url: 'https://example.org/cat.png' }] },
        ],
      },
      /picture is given by an address/,
    ],
    [
      'chat/completions',
      { model, messages: [{ role: 'assistant', tool_calls: [{ function: { name: 'f', arguments: '{' } }] }] },
      /tool call are no JSON/,
    ],
    ['completions', { model, prompt: ['a', 'b'] }, /prompt/],
    [
      'embeddings',
      { model: 'embedder', input: [[1, 2, 3]] },
      /numbers of tokens.*check_embedding_ctx_length=False/,
    ],
    ['embeddings', { model: 'embedder', input: 'a', encoding_format: 'int8' }, /encoding_format/],
    ['embeddings', { model: 'embedder', input: [] }, /input/],
  ];
  for (const [route, body, what] of refusals) {
    const answer = await post(`${endpoint.url}/v1/${route}`, body);
    assert.equal(answer.status, 400, JSON.stringify(body));
    const { error } = openaiErrorSchema.parse(await answer.json());
    assert.match(error.message, what);
    assert.equal(error.type, 'invalid_request_error');
  }
});

test("an instance's refusal has OpenAI's form, and its status", async () => {
  await using one = await upstream((_request, response) =>
    response
      .writeHead(400)
      .end('{"error":"the prompt is longer than the context length currently available"}'),
  );
  await using endpoint = await open({ ollama: ollamaOf({ generate: one.url }) });
  const answer = await post(`${endpoint.url}/v1/chat/completions`, chatBody());
  assert.equal(answer.status, 400);
  const { error } = openaiErrorSchema.strict().parse(await answer.json());
  assert.match(error.message, /prompt is longer/);
});

test('a stream that ends without its end, or with an error, ends with an event that says so', async () => {
  const head = '{"message":{"content":"a"},"done":false}\n';
  const begun = Promise.withResolvers<void>();
  const handlers: Handler[] = [
    (_request, response) => response.write(head, () => response.destroy()),
    (_request, response) => response.end(head),
    (_request, response) => {
      response.write(head);
      const cause = '{"error":"CUDA error: out of nerve"}\n';
      void begun.promise.then(() => response.end(`{"message":{"content":"b"},"done":false}\n${cause}`));
    },
  ];
  await using one = await upstream((request, response) => handlers.shift()?.(request, response));
  await using endpoint = await open({ ollama: ollamaOf({ generate: one.url }) });
  for (const what of [/the connection to .* ended/, /ended unfinished/, /out of nerve/]) {
    const answer = await post(`${endpoint.url}/v1/chat/completions`, chatBody('x', { stream: true }));
    if (handlers.length === 0) begun.resolve();
    const events = eventsOf(await answer.text());
    assert.match(openaiErrorSchema.parse(JSON.parse(events.at(-1) ?? '')).error.message, what);
    if (String(what).includes('nerve')) assert.match(events.at(-2) ?? '', /"content":"b"/);
  }
});

test("the models are listed and described in OpenAI's words; others are not found", async () => {
  const at = '2025-10-03T13:16:39.325+02:00';
  await using one = await upstream((_request, response) =>
    response.end(JSON.stringify({ models: [{ name: 'writer:7b', modified_at: at }, { name: 'other:1b' }] })),
  );
  await using endpoint = await open({ ollama: ollamaOf({ generate: one.url }) });
  const get = (path: string): Promise<Response> => fetch(`${endpoint.url}/v1/${path}`);
  const entry = {
    id: 'writer:7b',
    object: 'model',
    created: Date.parse(at.slice(0, 19) + '+02:00') / 1000,
    owned_by: 'library',
  };
  assert.deepEqual(modelListAnswer.strict().parse(await (await get('models')).json()), {
    object: 'list',
    data: [entry],
  });
  assert.deepEqual(modelAnswer.strict().parse(await (await get('models/writer:7b')).json()), entry);
  for (const id of ['other:1b', 'library%2Fwriter']) {
    const missing = await get(`models/${id}`);
    assert.equal(missing.status, 404);
    assert.equal(openaiErrorSchema.parse(await missing.json()).error.type, 'not_found_error');
  }
});

test('generation that is postponed says so, embeddings go on', async () => {
  await using embed = await upstream((_request, response) =>
    response.end('{"embeddings":[[1]],"prompt_eval_count":1}'),
  );
  const why = { message: 'Cannot generate yet', hint: 'wait', seconds: 42 };
  const ollama = ollamaOf({ embed: embed.url, generate: [] });
  await using endpoint = await open({ ollama, postponed: () => why });
  for (const [route, body] of [
    ['chat/completions', chatBody()],
    ['completions', { model, prompt: 'x' }],
  ] as const) {
    const chat = await post(`${endpoint.url}/v1/${route}`, body);
    assert.deepEqual([chat.status, chat.headers.get('retry-after')], [503, '42']);
    assert.equal(openaiErrorSchema.parse(await chat.json()).error.type, 'server_error');
  }
  assert.equal((await post(`${endpoint.url}/v1/embeddings`, { model: 'embedder', input: 'a' })).status, 200);
});
