/** Where requests go, and when: several instances behind one endpoint, and a line before them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ollamaErrorSchema } from '../../../src/serve/contract/route.ts';
import { until } from '../../until.ts';
import {
  answer,
  chatBody,
  figuresOf,
  type Handler,
  holding,
  modelOf,
  ollamaOf,
  servedBy,
  untilFigures,
  upstream,
  user,
} from '../model-servers.ts';
import { open, post } from '../open.ts';

const model = modelOf.generate;
const untilWaiting = (url: string, count: number): Promise<void> =>
  untilFigures(url, ({ waiting }) => waiting.generate === count, `${count} in line`);

test('requests go to the instance with the least to do, also when others than clients ask it', async () => {
  await using one = await holding();
  await using two = await holding();
  const ollama = ollamaOf({ generate: [one.url, two.url] });
  await using endpoint = await open({ ollama });
  const chat = (content: string) => post(`${endpoint.url}/api/chat`, chatBody(content));
  using ours = await ollama.flights.begin(one.url, 'shared', AbortSignal.timeout(10_000), 1e6);
  assert.equal(ours.signal.aborted, false);
  const chats = [chat('a'), chat('b')];
  await until(() => two.held.length === 2, 'both at the second');
  chats.push(chat('c'.repeat(2e6)));
  await until(() => two.held.length + one.held.length === 3, 'the large one');
  chats.push(chat('d'));
  await until(() => two.held.length + one.held.length === 4, 'the one after it');
  assert.deepEqual([one.held.length, two.held.length], [1, 3]);
  for (const response of [...one.held, ...two.held]) answer(response);
  assert.deepEqual(await Promise.all(chats.map(servedBy)), [
    'generate-2',
    'generate-2',
    'generate-2',
    'generate-1',
  ]);
});

test('idle instances take turns, and a conversation stays where it was', async () => {
  const handler: Handler = (_request, response) => answer(response);
  await using one = await upstream(handler);
  await using two = await upstream(handler);
  await using endpoint = await open({ ollama: ollamaOf({ generate: [one.url, two.url] }) });
  const chat = (messages: object[]) => servedBy(post(`${endpoint.url}/api/chat`, { model, messages }));
  const places = new Set<string | null>();
  for (let n = 0; n < 4; n += 1) {
    const messages = [user(`conversation ${n}`)];
    const first = await chat(messages);
    places.add(first);
    for (let turn = 0; turn < 3; turn += 1) {
      messages.push({ role: 'assistant', content: 'yes' }, user('and then?'));
      assert.equal(await chat(messages), first);
    }
    // By OpenAI's route too, and whatever the client says of its options.
    const again = post(`${endpoint.url}/v1/chat/completions`, {
      model,
      messages: [...messages, user('?')],
      seed: 1,
    });
    assert.equal(await servedBy(again), first);
  }
  assert.deepEqual(places, new Set(['generate-1', 'generate-2']));
});

test('who comes when too many wait gets 429 and a time; the others are answered in the order of their coming', async () => {
  await using one = await holding();
  const places = { width: { generate: 1, embed: 1 }, waiting: 2 };
  await using endpoint = await open({ ollama: ollamaOf({ generate: one.url }, { places }) });
  const order: string[] = [];
  const chat = async (content: string): Promise<Response> => {
    const response = await post(`${endpoint.url}/api/chat`, chatBody(content));
    if (response.ok) order.push(content);
    return response;
  };
  const chats = [chat('first')];
  await until(() => one.held.length === 1, 'the first');
  for (const content of ['second', 'third']) {
    chats.push(chat(content));
    await untilWaiting(endpoint.url, chats.length - 1);
  }
  const refused = await chat('fourth');
  assert.deepEqual([refused.status, refused.headers.get('retry-after')], [429, '5']);
  assert.equal(ollamaErrorSchema.parse(await refused.json()).code, 'busy');
  for (let n = 1; n <= 3; n += 1) {
    await until(() => one.held.length === n, `request ${n}`);
    assert.equal(one.held.length, n, 'one at a time');
    answer(one.held[n - 1] ?? assert.fail());
  }
  const answers = await Promise.all(chats);
  assert.deepEqual(order, ['first', 'second', 'third']);
  assert.ok(Number(answers[2]?.headers.get('x-queue-ms')) > 0);
});

test('an instance that writes many answers at once is given as many, also when nobody wants them piece by piece', async () => {
  await using one = await holding();
  await using endpoint = await open({ ollama: ollamaOf({ generate: one.url }) });
  const chats = ['a', 'b', 'c', 'd'].map((content, at) =>
    at % 2 === 0
      ? post(`${endpoint.url}/api/chat`, chatBody(content, { stream: false }))
      : post(`${endpoint.url}/v1/chat/completions`, chatBody(content)),
  );
  await until(() => one.held.length === chats.length, 'all of them');
  for (const response of one.held)
    response
      .writeHead(200, { 'content-type': 'application/x-ndjson' })
      .write('{"message":{"content":"y"}}\n');
  await untilFigures(endpoint.url, ({ instances }) => instances[0]?.under_way === 4, 'four under way');
  for (const response of one.held) response.end('{"message":{"content":"es"},"done":true}\n');
  for (const response of await Promise.all(chats)) assert.match(await response.text(), /"content":"yes"/);
  const { instances } = await figuresOf(endpoint.url);
  assert.equal(instances[0]?.at_once, 64);
});

test('who leaves the line is not sent, and the next one is', async () => {
  await using one = await holding();
  const places = { width: { generate: 1, embed: 1 } };
  const ollama = ollamaOf({ generate: one.url }, { places });
  await using endpoint = await open({ ollama });
  const first = post(`${endpoint.url}/api/chat`, chatBody('first'));
  await until(() => one.held.length === 1, 'the first');
  const leaves = new AbortController();
  const second = assert.rejects(
    post(`${endpoint.url}/api/chat`, chatBody('second'), { signal: leaves.signal }),
  );
  await untilWaiting(endpoint.url, 1);
  const third = post(`${endpoint.url}/api/chat`, chatBody('third'));
  await untilWaiting(endpoint.url, 2);
  leaves.abort();
  await second;
  await untilWaiting(endpoint.url, 1);
  answer(one.held[0] ?? assert.fail());
  await first;
  await until(() => one.held.length === 2, 'the next');
  answer(one.held[1] ?? assert.fail());
  await third;
  assert.deepEqual(one.asked, ['first', 'third']);
});

test('callers take turns: one who sends many at once does not make another wait for all of them', async () => {
  await using one = await holding();
  const places = { width: { generate: 1, embed: 1 } };
  await using endpoint = await open({ ollama: ollamaOf({ generate: one.url }, { places }) });
  const chat = (who: string, n: number) =>
    post(`${endpoint.url}/v1/chat/completions`, { ...chatBody(`${who} ${n}`), user: who });
  const chats = Array.from({ length: 6 }, (_, n) => chat('many', n));
  await until(() => one.held.length === 1, 'the first');
  await untilWaiting(endpoint.url, 5);
  chats.push(chat('one', 0));
  await untilWaiting(endpoint.url, 6);
  for (let n = 1; n <= 7; n += 1) {
    await until(() => one.held.length === n, `request ${n}`);
    answer(one.held[n - 1] ?? assert.fail());
  }
  await Promise.all(chats);
  assert.ok(one.asked.indexOf('one 0') <= 2, one.asked.join(', '));
});
