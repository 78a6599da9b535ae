import assert from 'node:assert/strict';
import { test } from 'node:test';
import { foldLines, linesOf } from '../../../src/serve/gateway/ollama-lines.ts';
import { chatBody, modelOf, ollamaOf, saying, upstream } from '../model-servers.ts';
import { open, post } from '../open.ts';

async function* inPieces(text: string, size: number): AsyncGenerator<Buffer, void> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

const call = { function: { name: 'f', arguments: { a: 1 } } };
const lines = [
  { model: 'm', created_at: '1', message: { role: 'assistant', content: '', thinking: 'H' }, done: false },
  {
    model: 'm',
    created_at: '2',
    message: { role: 'assistant', content: 'Grüße', thinking: 'm' },
    logprobs: [1],
    done: false,
  },
  {
    model: 'm',
    created_at: '3',
    message: { role: 'assistant', content: '!', tool_calls: [call] },
    logprobs: [2],
    done: false,
  },
  {
    model: 'm',
    created_at: '4',
    message: { role: 'assistant', content: '' },
    done: true,
    done_reason: 'stop',
    eval_count: 3,
    total_duration: 1234567890123,
  },
];
const text = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
const whole = {
  model: 'm',
  created_at: '4',
  message: { role: 'assistant', content: 'Grüße!', thinking: 'Hm', tool_calls: [call] },
  logprobs: [1, 2],
  done: true,
  done_reason: 'stop',
  eval_count: 3,
  total_duration: 1234567890123,
};

test('lines are the same however they are cut, the last one without its end too', async () => {
  for (const size of [1, 2, 7, 64, 10_000]) {
    const read: string[] = [];
    for await (const some of linesOf(inPieces(`${text}{"last":1}`, size))) read.push(...some);
    assert.deepEqual(
      read.map((line) => JSON.parse(line) as unknown),
      [...lines, { last: 1 }],
      String(size),
    );
  }
});

test('foldLines() gives what the server would have said at once', async () => {
  assert.deepEqual(await foldLines(inPieces(text, 100)), whole);
  const order = Object.keys(await foldLines(inPieces(text, 100)));
  assert.deepEqual(order.slice(0, 3), ['model', 'created_at', 'message'], 'in the order of the server');
  const parts = '{"response":"a","done":false}\n{"response":"b","done":true,"context":[1,2]}\n';
  assert.deepEqual(await foldLines(inPieces(parts, 9)), { response: 'ab', done: true, context: [1, 2] });
  const load = '{"message":{"role":"assistant","content":""},"done":true,"done_reason":"load"}';
  assert.deepEqual(await foldLines(inPieces(load, 9)), JSON.parse(load));
});

test('foldLines() fails for a stream without its end, with an error in it, or with what is no JSON', async () => {
  const [first = ''] = text.split('\n');
  for (const [broken, what] of [
    [`${first}\n`, /ended unfinished/],
    ['', /ended unfinished/],
    [`${first}\n{"error":"CUDA error: x"}\n`, /CUDA error/],
    [`${first}\n{"mess`, /cannot be read/],
  ] as const)
    await assert.rejects(foldLines(inPieces(broken, 50)), what);
});

test('a client that wants its answer whole gets it so, while its server is asked for a stream', async () => {
  await using one = await saying(...lines);
  await using endpoint = await open({ ollama: ollamaOf({ generate: one.url }) });
  const answer = await post(`${endpoint.url}/api/chat`, chatBody('hello', { stream: false }));
  assert.match(answer.headers.get('content-type') ?? '', /^application\/json/);
  assert.equal(answer.headers.get('x-served-by'), 'generate-1');
  assert.deepEqual(await answer.json(), whole);
  assert.equal(one.asked[0]?.body['stream'], true);
  const streamed = await post(`${endpoint.url}/api/chat`, chatBody());
  assert.equal(await streamed.text(), text);
  assert.equal(one.asked[1]?.body['stream'], undefined);
});

test('a whole answer is begun again when its server fails in the middle: nothing of it was passed on', async () => {
  let asked = 0;
  await using one = await upstream((_request, response) => {
    asked += 1;
    if (asked === 1) response.write(`${text.split('\n')[0]}\n`, () => response.destroy());
    else response.end(text);
  });
  await using endpoint = await open({ ollama: ollamaOf({ generate: one.url }) });
  const answers = [
    await post(`${endpoint.url}/api/chat`, chatBody('hello', { stream: false })),
    await post(`${endpoint.url}/v1/chat/completions`, {
      model: modelOf.generate,
      messages: [{ role: 'user', content: 'x' }],
    }),
  ];
  assert.deepEqual(
    answers.map(({ status }) => status),
    [200, 200],
  );
  assert.equal(asked, 3);
});
