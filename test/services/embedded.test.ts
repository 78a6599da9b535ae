import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { pickPort } from '../../src/machine/ports.ts';
import { makeEmbed } from '../../src/models/embed.ts';
import { makeGenerate } from '../../src/models/generate.ts';
import { makeRoster } from '../../src/models/roster.ts';
import { embeddedSpec } from '../../src/services/embedded.ts';
import { answerTo } from '../../src/services/embedded/answers.ts';
import { extractiveAnswer, noAnswer } from '../../src/services/embedded/extractive.ts';
import { dimensions, hashedVector } from '../../src/services/embedded/hashing.ts';
import { watchLeaks } from '../leaks.ts';
import { until } from '../journeys/program.ts';
import { openBench, soon } from './serving.ts';

const leaks = watchLeaks();
after(() => leaks.assertNone());

const whales = 'Blue whales feed on krill, which they filter from the sea through baleen plates.';
const trains = 'The night train to Vienna leaves platform nine at a quarter past ten.';
const prompt = (question: string): string =>
  [
    `<passage n="1" source="trains.txt">\n${trains}\n</passage>`,
    `<passage n="2" source="whales.pdf, page 3">\nWhales are mammals. ${whales}\nThey are large.\n</passage>`,
    `Question: ${question}`,
  ].join('\n\n');

const cosine = (a: string, b: string): number => {
  const [left, right] = [hashedVector(a), hashedVector(b)];
  return left.reduce((sum, value, at) => sum + value * (right[at] ?? 0), 0);
};

test('hashedVector() puts related texts nearer than unrelated ones', () => {
  const question = 'What do blue whales eat? Do they filter krill?';
  assert.ok(cosine(question, whales) > 0.3, `related: ${cosine(question, whales)}`);
  assert.ok(cosine(question, trains) < 0.15, `unrelated: ${cosine(question, trains)}`);
  assert.ok(cosine('filtering', 'filtered') > 0.5, 'one root');
});

test('hashedVector() is a unit vector, the same for the same text, also without a word in it', () => {
  for (const text of [whales, '', '... !', '鲸鱼', 'the of and']) {
    assert.equal(hashedVector(text).length, dimensions);
    assert.ok(Math.abs(Math.hypot(...hashedVector(text)) - 1) < 1e-9, text);
    assert.deepEqual(hashedVector(text), hashedVector(text));
  }
});

test('extractiveAnswer() quotes the sentence that answers, with the number of its passage', () => {
  assert.equal(
    extractiveAnswer(prompt('What do blue whales feed on?')),
    'Blue whales feed on krill, which they filter from the sea through baleen plates [2].',
  );
  assert.equal(
    extractiveAnswer(prompt('When does the train to Vienna leave?')),
    'The night train to Vienna leaves platform nine at a quarter past ten [1].',
  );
});

test('extractiveAnswer() quotes one row of a table, not the table', () => {
  const rows =
    '| code | exit | meaning |\n|---|---|---|\n| `full` | 74 | A disk is full. |\n| `usage` | 64 | A flag is wrong. |';
  const asked = `<passage n="1" source="errors.md">\n${rows}\n</passage>\n\nQuestion: Which exit means that a disk is full?`;
  assert.equal(extractiveAnswer(asked), '`full`, 74, A disk is full [1].');
});

test('extractiveAnswer() says so when no sentence shares a word with the question', () => {
  assert.equal(extractiveAnswer(prompt('Who composed Parsifal?')), noAnswer);
  assert.equal(extractiveAnswer('Question: What do whales eat?'), noAnswer);
});

test('answerTo() refuses as Ollama does', () => {
  assert.deepEqual(answerTo('POST', '/api/chat', { model: 'x' }), {
    status: 404,
    json: { error: "model 'x' not found" },
  });
  assert.partialDeepStrictEqual(answerTo('POST', '/api/chat', { model: 'embedded-hashing' }), {
    status: 400,
  });
  assert.partialDeepStrictEqual(answerTo('POST', '/api/embed', { model: 'embedded-hashing', input: [1] }), {
    status: 400,
  });
  assert.partialDeepStrictEqual(answerTo('GET', '/api/pull', {}), { status: 404 });
});

test('the engine is started, proven and asked by the code that runs Ollama', async () => {
  await using bench = await openBench();
  const { http, ...options } = bench.options();
  const tree = bench.start(
    embeddedSpec({ ...options, http, id: 'embed', role: 'embed' }),
    embeddedSpec({ ...options, http, id: 'generate', role: 'generate' }),
  );
  await tree.untilReady(['embed', 'generate'], soon());
  const roster = makeRoster();
  for (const served of bench.served)
    roster.set(served.dimensions === null ? 'generate' : 'embed', served.url, served);
  assert.equal(roster.current('embed')?.model, 'embedded-hashing');

  const embed = makeEmbed({
    roster,
    http,
    options: options.options,
    dimensions: null,
    prefixes: { query: '', passage: '' },
  });
  const [vector] = await embed({ texts: [whales], kind: 'passage', signal: soon() });
  assert.deepEqual(vector?.length, dimensions);

  const generate = makeGenerate({ roster, http, options: options.options });
  const pieces: string[] = [];
  const messages = [{ role: 'user', content: prompt('What do blue whales feed on?') }] as const;
  for await (const piece of generate({ messages, maxTokens: 100, signal: soon() })) pieces.push(piece);
  assert.ok(pieces.length > 5, 'it is streamed');
  assert.match(pieces.join(''), /krill.*\[2\]\.$/);
});

test('the engine answers where the disk under its log is full', async () => {
  await using full = await open('/dev/full', 'w');
  const address = `127.0.0.1:${await pickPort('full-log')}`;
  const program = join(import.meta.dirname, '../../src/services/embedded/server.ts');
  const server = spawn(process.execPath, [program], {
    env: { OLLAMA_HOST: address },
    stdio: ['ignore', 'ignore', full.fd],
  });
  const ended = once(server, 'exit');
  try {
    const ask = (): Promise<unknown> =>
      fetch(`http://${address}/api/version`)
        .then((response) => response.json())
        .catch(() => undefined);
    await until('an answer', 10_000, () => (server.exitCode === null ? ask() : assert.fail('it has ended')));
  } finally {
    server.kill();
    await ended;
  }
});

test('a sentence is quoted whole across an abbreviation', () => {
  const text =
    'The harbour was quiet. The keeper of the light was Ms. Ada Lorne, who came in 1931. Nobody else did.';
  const answer = extractiveAnswer(
    `<passage n="1" title="a">\n${text}\n</passage>\n\nQuestion: Who was the keeper of the light?`,
  );
  assert.equal(answer, 'The keeper of the light was Ms. Ada Lorne, who came in 1931 [1].');
});
