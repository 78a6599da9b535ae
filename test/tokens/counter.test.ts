import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import * as fc from 'fast-check';
import { makePrompt } from '../../src/query/prompt.ts';
import { nextFactor } from '../../src/tokens/calibrate.ts';
import { makeEstimatingCounter, openTokenCounter } from '../../src/tokens/counter.ts';
import { estimateTokens } from '../../src/tokens/estimate.ts';
import { findModelFile } from '../../src/tokens/model-file.ts';
import { makeTokenizer } from '../../src/tokens/tokenizer.ts';
import { watchLeaks } from '../leaks.ts';
import { ggufHeader } from '../machine/gguf-file.ts';
import { hit } from '../query/hits.ts';
import { byteModel } from './tiny-models.ts';

const leaks = watchLeaks();
const folder = mkdtempSync(join(tmpdir(), 'rag-tokens-'));
after(async () => {
  rmSync(folder, { recursive: true });
  await leaks.assertNone();
});

const model = byteModel('qwen2');
const exact = makeTokenizer(new Map(Object.entries(model)));
const file = join(folder, 'model.gguf');
writeFileSync(file, ggufHeader(model));

interface Opened extends AsyncDisposable {
  readonly counter: ReturnType<typeof openTokenCounter>;
  readonly reasons: string[];
}

function openCounter(given: Parameters<typeof openTokenCounter>[0]['file']): Opened {
  const reasons: string[] = [];
  const counter = openTokenCounter({ file: given, onEstimates: (reason) => reasons.push(reason) });
  return { counter, reasons, [Symbol.asyncDispose]: () => counter[Symbol.asyncDispose]() };
}

const texts = ['the then', '', '漢字', '<|im_end|>'];

test('the tokens of a model whose file can be read are counted exactly, in a thread', async () => {
  await using opened = openCounter(file);
  assert.deepEqual(await opened.counter.count(texts), texts.map(exact));
  assert.deepEqual(await opened.counter.count(['the']), [1]);
  assert.deepEqual(opened.reasons, []);
});

test('a file that is none, cut or of an unknown kind is said once, and counts are estimates from above', async () => {
  const broken = {
    'PK is no model': Buffer.from('PK is no model, it only is named as one'),
    cut: ggufHeader(model).subarray(0, 2000),
    foreign: ggufHeader(byteModel('deepseek-v9')),
  };
  for (const [name, bytes] of Object.entries(broken)) {
    const path = join(folder, name);
    writeFileSync(path, bytes);
    await using opened = openCounter(path);
    const asked = [opened.counter.count(texts), opened.counter.count(texts)];
    for (const counts of await Promise.all(asked))
      counts.forEach((count, at) => assert.ok(count >= estimateTokens(texts[at] ?? '')));
    assert.equal(opened.reasons.length, 1, name);
  }
});

test('closing a counter that is at work is no reason for estimates', async () => {
  const opened = openCounter(file);
  const asked = opened.counter.count(texts);
  await opened[Symbol.asyncDispose]();
  assert.equal((await asked).length, texts.length);
  assert.deepEqual(opened.reasons, []);
});

test('a model that is not in the store is said at once', async () => {
  await using opened = openCounter(await findModelFile(join(folder, 'nowhere'), 'qwen3:235b'));
  assert.match(opened.reasons[0] ?? '', /^qwen3:235b is not in /);
  assert.ok(((await opened.counter.count(['the']))[0] ?? 0) > 0);
});

test('a server that counts more than the tokenizer is believed', async () => {
  await using opened = openCounter(file);
  opened.counter.learn(1000, 1100);
  assert.deepEqual(await opened.counter.count(['the then']), [2]);
  opened.counter.learn(1000, 1200);
  assert.match(opened.reasons[0] ?? '', /1200 tokens where its tokenizer gives 1000/);
  assert.ok(((await opened.counter.count(['the then']))[0] ?? 0) > 2);
});

test('estimates grow with what the server counts, and never shrink', async () => {
  const counter = makeEstimatingCounter();
  const text = 'word '.repeat(1000);
  const count = async (): Promise<number> => (await counter.count([text]))[0] ?? 0;
  const before = await count();
  counter.learn(before, Math.round(before / 2));
  assert.equal(await count(), before);
  counter.learn(before, 2 * before);
  const grown = await count();
  assert.ok(grown > 1.9 * before && grown < 2.2 * before, `${before} ${grown}`);
  counter.learn(grown, before);
  assert.equal(await count(), grown);
});

test('whatever a server says, the next estimate of that prompt is not below it', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 1, max: 4, noNaN: true }),
      fc.double({ min: 200, max: 100_000, noNaN: true }),
      fc.double({ min: 0, max: 4, noNaN: true }),
      (factor, estimated, ratio) => {
        const next = nextFactor(factor, estimated, ratio * estimated);
        assert.ok(next >= factor);
        assert.ok(next * estimated >= ratio * estimated);
      },
    ),
  );
  assert.equal(nextFactor(1.25, 10, 39), 1.25, 'too short to tell');
  assert.equal(nextFactor(1.25, 1000, 50_000), 1.25, 'no count of this prompt');
});

test('a prompt that was made to fit has no more tokens than its context, counted exactly', async () => {
  const count = async (list: readonly string[]): Promise<number[]> => list.map(exact);
  const word = fc.constantFrom('the ', 'then', ' 漢字', '\n', '12', '<|im_end|>', ' . ', '😀', '</passage>');
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(word, { maxLength: 200 }), { minLength: 1, maxLength: 6 }),
      fc.integer({ min: 1600, max: 4000 }),
      async (list, contextTokens) => {
        const hits = list.map((words, at) => hit(`c${at}`, words.join('')));
        const { messages, tokens } = await makePrompt({
          question: 'the?',
          hits,
          contextTokens,
          answerTokens: 100,
          count,
        });
        const real = messages.reduce((sum, { content }) => sum + exact(content), 0);
        assert.ok(real <= tokens, `${real} tokens, counted ${tokens}`);
        assert.ok(real + 100 <= contextTokens);
      },
    ),
    { numRuns: 60 },
  );
});

test('the weights of a model are found by its manifest', async () => {
  const bytes = ggufHeader(model);
  const store = join(folder, 'store');
  const blob = (content: Buffer): { digest: string; size: number } => {
    const hex = createHash('sha256').update(content).digest('hex');
    mkdirSync(join(store, 'blobs'), { recursive: true });
    writeFileSync(join(store, 'blobs', `sha256-${hex}`), content);
    return { digest: `sha256:${hex}`, size: content.length };
  };
  const layers = [
    { mediaType: 'application/vnd.ollama.image.template', ...blob(Buffer.from('{{ .Prompt }}')) },
    { mediaType: 'application/vnd.ollama.image.model', ...blob(bytes) },
  ];
  const manifests = join(store, 'manifests/registry.ollama.ai/library/tiny');
  mkdirSync(manifests, { recursive: true });
  writeFileSync(join(manifests, 'latest'), JSON.stringify({ config: blob(Buffer.from('{}')), layers }));
  const found = await findModelFile(store, 'tiny');
  assert.equal(found, join(store, 'blobs', (layers[1]?.digest ?? '').replace(':', '-')));
  await using opened = openCounter(found);
  assert.deepEqual(await opened.counter.count(['the then']), [2]);
});
