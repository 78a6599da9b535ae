import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type IncomingMessage, type OutgoingHttpHeaders, request } from 'node:http';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { makeBudget } from '../../../src/serve/gateway/held-bodies.ts';
import { openaiErrorSchema } from '../../../src/serve/contract/route.ts';
import { until } from '../../until.ts';
import { answer, chatBody, holding, ollamaOf, untilFigures, upstream } from '../model-servers.ts';
import { open, post } from '../open.ts';

test('a hold is given back once, however it was taken', () => {
  const budget = makeBudget(100);
  const [one, two] = [budget.open(), budget.open()];
  assert.equal(one.take(60), true);
  assert.equal(two.take(60), false);
  assert.equal(two.take(40), true);
  one.add(60);
  assert.equal(budget.held(), 160);
  one.release();
  one.release();
  assert.equal(budget.held(), 40);
  assert.equal(one.take(1), false, 'it is over');
  two.release();
  assert.equal(budget.held(), 0);
});

/** Begins a request and gives its answer, whatever becomes of the rest of it. */
async function answerTo(
  port: number,
  headers: OutgoingHttpHeaders,
  body: Readable,
): Promise<IncomingMessage> {
  const path = '/v1/chat/completions';
  const outgoing = request({ host: '127.0.0.1', port, path, method: 'POST', headers });
  outgoing.on('error', () => undefined).flushHeaders();
  body.pipe(outgoing);
  const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
  return incoming;
}

const endless = (): Readable =>
  Readable.from(
    (function* () {
      for (;;) yield Buffer.alloc(2 ** 20, 'x');
    })(),
  );

for (const [what, headers] of [
  ['before it is sent, where its length is told', { 'content-length': 2 ** 27 }],
  ['as soon as that is seen, where it is not', {}],
] as const)
  test(`a body above 64 MiB is refused ${what}, and its connection closed`, async () => {
    await using one = await upstream(() => assert.fail('it was passed on'));
    await using endpoint = await open({ ollama: ollamaOf({ generate: one.url }) });
    const refused = await answerTo(endpoint.port, headers, endless());
    assert.deepEqual([refused.statusCode, refused.headers.connection], [413, 'close']);
    const { error } = openaiErrorSchema.parse(JSON.parse(await text(refused)));
    assert.match(error.message, /more than 64 MiB/);
  });

test('when those that wait hold all the memory that there is for them, the next gets 429', async () => {
  await using one = await holding();
  await using endpoint = await open({ ollama: ollamaOf({ generate: one.url }), heldBytes: 3000 });
  const leaves = new AbortController();
  const large = chatBody('x'.repeat(2000));
  const first = assert.rejects(post(`${endpoint.url}/api/chat`, large, { signal: leaves.signal }));
  await until(() => one.held.length === 1, 'the first');
  const refused = await post(`${endpoint.url}/v1/chat/completions`, large);
  assert.deepEqual([refused.status, refused.headers.get('retry-after')], [429, '5']);
  const { error } = openaiErrorSchema.parse(await refused.json());
  assert.deepEqual([error.code, error.type], ['busy', 'rate_limit_error']);
  leaves.abort();
  await first;
  await untilFigures(endpoint.url, ({ held_bytes: bytes }) => bytes === 0, 'what its client left');
  const next = post(`${endpoint.url}/api/chat`, large);
  await until(() => one.held.length === 2, 'the next');
  answer(one.held[1] ?? assert.fail());
  assert.equal((await next).status, 200);
});
