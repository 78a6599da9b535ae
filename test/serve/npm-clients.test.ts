/** The libraries that our users come with, as they are: npm `ollama`, `openai` and LangChain.js, by every way in. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ChatOllama, OllamaEmbeddings } from '@langchain/ollama';
import { ChatOpenAI, OpenAIEmbeddings } from '@langchain/openai';
import { Ollama } from 'ollama';
import OpenAI, { NotFoundError } from 'openai';
import { z } from 'zod';
import { makeFlights } from '../../src/models/flights.ts';
import { makeRoster } from '../../src/models/roster.ts';
import type { Endpoint } from '../../src/serve/serve.ts';
import { makeTokens } from '../../src/serve/access/tokens.ts';
import { type Fake, startFake } from '../fixtures/fake-ollama/start.ts';
import { until } from '../until.ts';
import { open } from './open.ts';

const model = 'qwen3:235b';
const embedder = 'qwen3-embedding:8b';
const tokens = makeTokens();
const said = 'This is the fake Ollama speaking.';
const hello = [{ role: 'user' as const, content: 'Hello' }];
const weather = {
  type: 'function' as const,
  function: {
    name: 'weather',
    description: 'Of a place',
    parameters: { type: 'object', properties: { place: { type: 'string' } }, required: ['place'] },
  },
};
const shape = z.object({ place: z.string(), degrees: z.number() });

let generate: Fake;
let slow: Fake;
let embed: Fake;
before(async () => {
  [generate, slow, embed] = await Promise.all([startFake(), startFake({ FAKE_TPS: '5' }), startFake()]);
});
after(() => Promise.all([generate, slow, embed].map((fake) => fake[Symbol.asyncDispose]())));

/** @param ownerUid somebody else than us, where a token must do it */
function openJob(ownerUid: number, generator: Fake): Promise<Endpoint> {
  const roster = makeRoster();
  roster.set('generate', 'ollama-generate', { url: generator.url, model });
  roster.set('embed', 'ollama-embed', { url: embed.url, model: embedder });
  return open({
    tokens,
    ownerUid,
    ollama: {
      models: [
        { role: 'generate', model },
        { role: 'embed', model: embedder },
      ],
      instances: (role) => roster.list(role),
      onChange: (listener) => roster.onChange(listener),
      frozen: (role) => (role === 'embed' ? { num_ctx: 2048, num_batch: 2048 } : { num_ctx: 4096 }),
      flights: makeFlights(),
    },
  });
}

interface Way {
  readonly name: string;
  readonly ownerUid: number;
  readonly address: (url: string) => string;
  readonly headers: Record<string, string>;
  /** What OpenAI's library sends as `Authorization: Bearer`; it must have some. */
  readonly key: string;
}

const somebodyElse = 54_321;
const ways: readonly Way[] = [
  { name: 'loopback', ownerUid: process.getuid?.() ?? 0, address: (url) => url, headers: {}, key: 'ollama' },
  {
    name: 'the header token',
    ownerUid: somebodyElse,
    address: (url) => url,
    headers: { Authorization: `Bearer ${tokens.header}` },
    key: tokens.header,
  },
  {
    name: 'the URL token',
    ownerUid: somebodyElse,
    address: (url) => `${url}/t/${tokens.url}`,
    headers: {},
    key: 'ollama',
  },
];

async function collect<T>(pieces: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const piece of pieces) all.push(piece);
  return all;
}

/** The same number of every vector, in single precision. */
const rounded = (vectors: readonly (readonly number[])[]): number[][] =>
  vectors.map((vector) => vector.slice(0, 8).map((value) => Math.round(value * 1e6) / 1e6));

for (const { name, ownerUid, address, headers, key } of ways) {
  test(`npm ollama by ${name}: lists, shows, embeds, chats, calls tools, keeps to a format, is refused pull`, async () => {
    await using endpoint = await openJob(ownerUid, generate);
    const client = new Ollama({ host: address(endpoint.url), headers });
    const { models } = await client.list();
    assert.deepEqual(models.map((each) => each.name).sort(), [embedder, model].sort());
    assert.ok((await client.ps()).models.every((each) => [model, embedder].includes(each.name)));
    assert.equal((await client.show({ model })).details.format, 'gguf');
    const { embeddings } = await client.embed({ model: embedder, input: ['one', 'two'] });
    assert.deepEqual(
      embeddings.map((vector) => vector.length),
      [1024, 1024],
    );
    const whole = await client.chat({ model, messages: hello });
    assert.equal(whole.message.content, said);
    const pieces = await collect(await client.chat({ model, messages: hello, stream: true }));
    assert.ok(pieces.length > 3);
    assert.equal(pieces.map(({ message }) => message.content).join(''), said);
    assert.equal((await client.generate({ model, prompt: 'Hello' })).response, said);
    const called = await client.chat({ model, messages: hello, tools: [weather] });
    assert.deepEqual(called.message.tool_calls?.[0]?.function, {
      name: 'weather',
      arguments: { place: 'fake' },
    });
    const formatted = await client.chat({ model, messages: hello, format: z.toJSONSchema(shape) });
    assert.deepEqual(JSON.parse(formatted.message.content), { place: 'fake', degrees: 1 });
    for (const refused of [
      () => client.pull({ model: 'llama3' }),
      async () => collect(await client.pull({ model: 'llama3', stream: true })),
    ])
      await assert.rejects(refused, (error: Error) => {
        assert.match(
          error.message,
          name === 'the URL token'
            ? /^Cannot answer: the token of an address opens/
            : /^Cannot pull: a running job does not change its models.*ollama pull/,
        );
        return true;
      });
    await assert.rejects(
      client.chat({ model: 'llama3', messages: hello }),
      /llama3.*not found.*serves qwen3/,
    );
  });

  test(`npm openai by ${name}: lists, embeds, chats, calls tools, keeps to a schema, reads refusals`, async () => {
    await using endpoint = await openJob(ownerUid, generate);
    const client = new OpenAI({ baseURL: `${address(endpoint.url)}/v1`, apiKey: key });
    const ids = (await collect(client.models.list())).map(({ id }) => id);
    assert.deepEqual(ids.sort(), [embedder, model].sort());
    assert.equal((await client.models.retrieve(model)).id, model);
    const input = ['one', 'two'];
    // It asks for base64 and decodes that, unless told otherwise.
    const decoded = await client.embeddings.create({ model: embedder, input });
    const plain = await client.embeddings.create({ model: embedder, input, encoding_format: 'float' });
    assert.deepEqual(
      rounded(decoded.data.map(({ embedding }) => embedding)),
      rounded(plain.data.map(({ embedding }) => embedding)),
    );
    const whole = await client.chat.completions.create({ model, messages: hello });
    assert.equal(whole.choices[0]?.message.content, said);
    assert.ok((whole.usage?.total_tokens ?? 0) > 0);
    const stream = client.chat.completions.stream({
      model,
      messages: hello,
      stream_options: { include_usage: true },
    });
    const final = await stream.finalChatCompletion();
    assert.equal(final.choices[0]?.message.content, said);
    assert.ok((final.usage?.completion_tokens ?? 0) > 0);
    const runs: string[] = [];
    const run = client.chat.completions.runTools({
      model,
      messages: hello,
      stream: true,
      tools: [
        {
          type: 'function',
          function: {
            ...weather.function,
            parse: JSON.parse,
            function: ({ place }: { place: string }) => {
              runs.push(place);
              return 'sunny';
            },
          },
        },
      ],
    });
    assert.equal(await run.finalContent(), said, 'it answers when it has what the tool said');
    assert.deepEqual(runs, ['fake']);
    const schema = { name: 'weather', schema: z.toJSONSchema(shape) as Record<string, unknown> };
    const parsed = await client.chat.completions.parse({
      model,
      messages: hello,
      response_format: { type: 'json_schema', json_schema: schema },
    });
    assert.deepEqual(JSON.parse(parsed.choices[0]?.message.content ?? ''), { place: 'fake', degrees: 1 });
    const text = await client.completions.create({ model, prompt: 'Hello' });
    assert.equal(text.choices[0]?.text, said);
    await assert.rejects(
      client.chat.completions.create({ model: 'gpt-4o', messages: hello }),
      (error: unknown) => {
        assert.ok(error instanceof NotFoundError);
        assert.match(error.message, /^404 Cannot ask model "gpt-4o".*this job serves qwen3/);
        return true;
      },
    );
    await assert.rejects(client.responses.create({ model, input: 'Hello' }), /40[34] Cannot/);
  });

  test(`LangChain.js by ${name}: chats, streams, embeds, binds tools, gives objects`, async () => {
    await using endpoint = await openJob(ownerUid, generate);
    const baseUrl = address(endpoint.url);
    const configuration = { baseURL: `${baseUrl}/v1` };
    const chats = [
      new ChatOllama({ baseUrl, model, headers, maxRetries: 0 }),
      new ChatOpenAI({ model, apiKey: key, configuration, maxRetries: 0 }),
    ];
    for (const chat of chats) {
      assert.equal((await chat.invoke('Hello')).content, said);
      const pieces = await collect(await chat.stream('Hello'));
      assert.equal(pieces.map(({ content }) => content as string).join(''), said);
      const { tool_calls: calls } = await chat.bindTools([weather]).invoke('Hello');
      assert.deepEqual(
        calls?.map(({ name: called, args }) => [called, args]),
        [['weather', { place: 'fake' }]],
      );
      const object = await chat.withStructuredOutput(shape, { method: 'jsonSchema' }).invoke('Hello');
      assert.deepEqual(object, { place: 'fake', degrees: 1 });
    }
    const [viaOllama, viaOpenai] = await Promise.all([
      new OllamaEmbeddings({ baseUrl, model: embedder, headers: new Headers(headers) }).embedDocuments([
        'one',
        'two',
      ]),
      new OpenAIEmbeddings({ model: embedder, apiKey: key, configuration }).embedDocuments(['one', 'two']),
    ]);
    assert.deepEqual(rounded(viaOllama), rounded(viaOpenai));
  });

  test(`a client that leaves by ${name} ends the generation at its server, whichever library it is`, async () => {
    await using endpoint = await openJob(ownerUid, slow);
    const baseUrl = address(endpoint.url);
    const endings = (): number => slow.log().match(/generation cancelled/g)?.length ?? 0;
    const leaves: (() => Promise<void>)[] = [
      async () => {
        const client = new Ollama({ host: baseUrl, headers });
        for await (const _ of await client.chat({ model, messages: hello, stream: true }))
          return client.abort();
      },
      async () => {
        const client = new OpenAI({ baseURL: `${baseUrl}/v1`, apiKey: key });
        const stream = await client.chat.completions.create({ model, messages: hello, stream: true });
        for await (const _ of stream) return stream.controller.abort();
      },
      async () => {
        const chat = new ChatOllama({ baseUrl, model, headers });
        const stop = new AbortController();
        for await (const _ of await chat.stream('Hello', { signal: stop.signal })) return stop.abort();
      },
    ];
    for (const leave of leaves) {
      const before = endings();
      await leave().catch(() => undefined);
      await until(() => endings() === before + 1, 'the end of its generation');
    }
  });
}

test('whatever they ask, and by whichever API: no model was ever loaded a second time', () => {
  for (const fake of [generate, embed])
    assert.equal(fake.log().match(/loading model via/g)?.length, 1, fake.log());
});
