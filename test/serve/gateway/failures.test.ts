/** What becomes of a request whose instance fails: before the first byte it is done again, afterwards it is told. */
import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { test } from 'node:test';
import { RagError } from '../../../src/errors.ts';
import { answerError, setbackOf, unfinished } from '../../../src/models/ollama-errors.ts';
import { ollamaErrorSchema } from '../../../src/serve/contract/route.ts';
import { until } from '../../until.ts';
import {
  answer,
  chatBody,
  figuresOf,
  firstOf,
  type Handler,
  holding,
  json,
  modelOf,
  ollamaOf,
  servedBy,
  untilFigures,
  upstream,
} from '../model-servers.ts';
import { open, post } from '../open.ts';

const model = modelOf.generate;
const gone = new RagError('model-unavailable', 'it is gone');

test('an instance that ends before the first byte is not the end of the request: another takes it', async () => {
  let failures = 0;
  const dying: Handler = (request) => {
    failures += 1;
    request.destroy();
  };
  await using one = await upstream(dying);
  await using two = await upstream((_request, response) => answer(response));
  await using endpoint = await open({ ollama: ollamaOf({ generate: [one.url, two.url] }) });
  for (let n = 0; n < 4; n += 1)
    assert.equal(await servedBy(post(`${endpoint.url}/api/chat`, chatBody(`${n}`))), 'generate-2');
  assert.ok(failures > 0);
});

for (const [how, fail] of [
  [
    'an error line',
    (response) =>
      answer(response, '{"error":"an error was encountered while running the model: CUDA error"}\n'),
  ],
  [
    'a status',
    (response) =>
      response.writeHead(500).end('{"error":"llama runner process has terminated: exit status 2"}'),
  ],
  [
    'the words of its runner under a status of the client',
    (response) =>
      response
        .writeHead(400)
        .end('{"error":"do embedding request: Post \\"http://127.0.0.1:4/embedding\\": EOF"}'),
  ],
  ['nothing at all', (response) => answer(response, '')],
  ['a full queue', (response) => response.writeHead(503).end('{"error":"server busy, please try again."}')],
] satisfies [string, (response: ServerResponse) => unknown][])
  test(`an instance that fails with ${how} is asked again`, async () => {
    let asked = 0;
    await using one = await upstream((_request, response) => {
      asked += 1;
      return asked === 1 ? fail(response) : answer(response);
    });
    await using endpoint = await open({ ollama: ollamaOf({ generate: one.url }) });
    const response = await post(`${endpoint.url}/api/chat`, chatBody());
    assert.deepEqual([response.status, JSON.parse(await response.text()).done, asked], [200, true, 2]);
  });

test('a request waits for an instance that is being started again', async () => {
  const ollama = ollamaOf({ generate: [] });
  await using endpoint = await open({ ollama });
  const waiting = servedBy(post(`${endpoint.url}/api/chat`, chatBody()));
  await using late = await upstream((_request, response) => answer(response));
  ollama.roster.set('generate', 'generate-1', { url: late.url, model });
  assert.equal(await waiting, 'generate-1');
});

test('it does not wait for ever: after its patience the answer is 503 and says what to ask', async () => {
  await using endpoint = await open({ ollama: ollamaOf({ generate: [] }, { places: { patienceMs: 20 } }) });
  const response = await post(`${endpoint.url}/api/chat`, chatBody());
  assert.deepEqual([response.status, response.headers.get('retry-after')], [503, '30']);
  assert.match(ollamaErrorSchema.parse(await response.json()).error, /readyz/);
});

test('a request under way when its instance is lost goes to the one that takes its place', async () => {
  await using old = await holding();
  const ollama = ollamaOf({ generate: old.url });
  await using endpoint = await open({ ollama });
  const waiting = servedBy(post(`${endpoint.url}/api/chat`, chatBody()));
  await until(() => old.held.length === 1, 'the first');
  ollama.roster.set('generate', 'generate-1', undefined);
  old.held[0]?.destroy();
  await using young = await upstream((_request, response) => answer(response));
  ollama.roster.set('generate', 'generate-1', { url: young.url, model });
  assert.equal(await waiting, 'generate-1');
});

test('in the middle of an answer nothing is sent again: the client is told by a line, or cut off within one', async () => {
  const handlers: Handler[] = [
    (_request, response) =>
      response
        .setHeader('content-type', 'application/x-ndjson')
        .write('{"done":false}\n', () => response.destroy()),
    (_request, response) =>
      response.setHeader('content-type', 'application/x-ndjson').write('{"do', () => response.destroy()),
    (_request, response) =>
      response.setHeader('content-type', 'application/json').write('{"message":', () => response.destroy()),
  ];
  await using one = await upstream((request, response) => handlers.shift()?.(request, response));
  await using endpoint = await open({ ollama: ollamaOf({ generate: one.url }) });
  const chat = () => post(`${endpoint.url}/api/chat`, chatBody());
  const [first, last] = (await (await chat()).text()).trim().split('\n');
  assert.equal(first, '{"done":false}');
  const { error, code } = ollamaErrorSchema.parse(JSON.parse(last ?? ''));
  assert.match(error, /Cannot go on with this answer/);
  assert.equal(code, 'model-unavailable');
  await assert.rejects((await chat()).text());
  await assert.rejects((await chat()).text());
});

for (const phase of ['before the first byte', 'in the middle of the stream'])
  test(`an instance found stuck ${phase} ends its requests; what was not begun is done again after its cure`, async () => {
    const begun = Promise.withResolvers<void>();
    let asked = 0;
    await using one = await upstream((_request, response) => {
      asked += 1;
      if (asked > 1) return answer(response);
      if (phase !== 'before the first byte') response.write('{"done":false}');
      return begun.resolve();
    });
    const ollama = ollamaOf({ generate: one.url });
    await using endpoint = await open({ ollama });
    const chat = () => post(`${endpoint.url}/api/chat`, chatBody());
    const first = chat();
    await begun.promise;
    if (phase !== 'before the first byte') await first;
    const grounding = ollama.flights.ground(one.url, unfinished('it is stuck'));
    if (phase !== 'before the first byte') await assert.rejects((await first).text());
    const next = chat();
    await until(() => ollama.flights.traffic(one.url).inFlight === 0, 'the end of the flight');
    assert.equal(asked, 1, 'nothing is sent to it meanwhile');
    grounding.lift();
    assert.equal((await next).status, 200);
    if (phase === 'before the first byte') assert.equal((await first).status, 200);
  });

test('while an instance is cured, others take what would go to it', async () => {
  await using one = await holding();
  await using two = await upstream((_request, response) => answer(response));
  const ollama = ollamaOf({ generate: [one.url, two.url] });
  await using endpoint = await open({ ollama });
  using grounding = ollama.flights.ground(one.url, gone);
  assert.equal(grounding.ended, 0);
  for (let n = 0; n < 3; n += 1)
    assert.equal(await servedBy(post(`${endpoint.url}/api/chat`, chatBody(`${n}`))), 'generate-2');
});

test('a request that ends its server twice goes alone the second time, is set aside, and then refused unseen', async () => {
  const asked: string[] = [];
  const together: number[] = [];
  const held: ServerResponse[] = [];
  await using one = await upstream(async (request, response) => {
    const content = firstOf(await json(request));
    asked.push(content);
    if (content === 'poison') {
      together.push(held.length);
      return response.destroy();
    }
    if (content === 'long') return held.push(response);
    return answer(response);
  });
  const ollama = ollamaOf({ generate: one.url });
  await using endpoint = await open({ ollama });
  const chat = (content: string) => post(`${endpoint.url}/api/chat`, chatBody(content));
  const long = chat('long');
  await until(() => held.length === 1, 'the innocent one');
  const poisoned = chat('poison');
  await until(() => asked.includes('poison'), 'its first try');
  await untilFigures(endpoint.url, ({ sent_again }) => sent_again === 1, 'its second try');
  await until(() => ollama.flights.load(one.url).requests === 2, 'its wait to be alone');
  const later = chat('later');
  await until(() => ollama.flights.load(one.url).requests === 3, 'who waits behind it');
  answer(held.splice(0)[0] ?? assert.fail());
  await (await long).text();
  const refused = await poisoned;
  assert.equal(refused.status, 400, 'libraries do not send this again by themselves');
  const { error, code } = ollamaErrorSchema.parse(await refused.json());
  assert.match(error, /has terminated twice/);
  assert.equal(
    setbackOf(answerError('m', 400, error)),
    'died',
    'another supervisor looks for what is to blame',
  );
  assert.equal(code, 'model-refused');
  assert.deepEqual(together, [1, 0], 'alone the second time');
  assert.equal((await later).status, 200);
  assert.equal((await chat('poison')).status, 400);
  assert.equal((await chat('another')).status, 200);
  assert.equal(asked.filter((each) => each === 'poison').length, 2);
  const figures = await figuresOf(endpoint.url);
  assert.deepEqual(
    { ...figures, instances: [] },
    {
      waiting: { generate: 0, embed: 0 },
      instances: [],
      answered: 3,
      sent_again: 1,
      quarantined: 1,
      held_bytes: 0,
    },
  );
});
