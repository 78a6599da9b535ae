import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { readLine, table, type LineName } from '../../src/services/ollama-lines.ts';
import { ollamaSpec } from '../../src/services/ollama.ts';
import { eraOf, type Era } from '../../src/services/ollama-version.ts';
import { openBench, soon } from './serving.ts';

interface Recorded {
  readonly file: string;
  readonly era: Era;
  readonly name: string;
  readonly line: string;
}

const folder = new URL('../fixtures/ollama-logs/', import.meta.url);

/** A line, and the heading that says what it tells. */
function readRecorded(file: string): Recorded[] {
  const era = eraOf(file) ?? assert.fail(`${file} is named after no version`);
  let name = '';
  const recorded: Recorded[] = [];
  for (const line of readFileSync(new URL(file, folder), 'utf8').split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    if (line.startsWith('= ')) name = line.slice(2);
    else recorded.push({ file, era, name, line });
  }
  return recorded;
}

const recorded = readdirSync(folder).flatMap(readRecorded);

test('every recorded line is read as what it tells, and as nothing else', () => {
  for (const { file, name, line } of recorded)
    assert.equal(readLine(line)?.name ?? '-', name, `${file}: ${line}`);
});

for (const [name, { words }] of Object.entries(table)) {
  for (const era of Object.keys(words))
    test(`a recorded line of the era of the ${era} tells ${name}`, () => {
      const pattern = (words as Partial<Record<string, RegExp>>)[era] ?? assert.fail();
      const lines = recorded.filter((each) => each.era === era && each.name === name);
      assert.ok(lines.length > 0, 'no line is recorded');
      for (const { line } of lines) assert.match(withoutPrefix(line), pattern);
    });
}

const withoutPrefix = (line: string): string => line.replace(/^time=.*? (?=msg=)/, '');

const factsOf = (name: LineName, file: string): unknown =>
  recorded
    .filter((each) => each.name === name && each.file === file)
    .map(({ line }) => readLine(line)?.facts)
    .at(0);

for (const [name, file, facts] of [
  ['listening', '0.12.3.log', { address: '[::]:11435', version: '0.12.3' }],
  [
    'compute-device',
    '0.14.2.log',
    {
      id: 'GPU-5b419f64-406d-db30-3dbc-1ef4ac4d891a',
      library: 'CUDA',
      totalBytes: 8 * 2 ** 30,
      availableBytes: Math.round(7.6 * 2 ** 30),
    },
  ],
  [
    'compute-device',
    '0.33.0.log',
    {
      id: '0',
      filter: 'GPU-4f7d4396-9304-d12f-7e9b-7f04d1236fc2',
      library: 'CUDA',
      totalBytes: Math.round(79.6 * 2 ** 30),
      availableBytes: Math.round(79.1 * 2 ** 30),
    },
  ],
  ['loaded-in', '0.12.3.log', { seconds: 7.22 }],
  ['loaded-in', '0.33.0.log', { seconds: 56.02 }],
  ['offload', '0.14.2.log', { gpuLayers: 0, allLayers: 25 }],
  ['offload', '0.32.9.log', { gpuLayers: 15, allLayers: 33 }],
  ['buffers', '0.14.2.log', { of: 'model weights', on: 'CPU', sizeBytes: Math.round(12.8 * 2 ** 30) }],
  [
    'buffers',
    '0.32.9.log',
    { device: 'CPU_Mapped', what: 'model', bufferBytes: Math.round(2676.44 * 2 ** 20) },
  ],
  ['context-shrunk', '0.33.0.log', { oldTokens: 262144, newTokens: 32768 }],
  ['truncated-prompt', '0.12.3.log', { limitTokens: 16384, promptTokens: 34223, keptTokens: 16384 }],
  ['pruned', '0.33.0.log', { blobs: 3 }],
  ['runner-died', '0.32.9.log', { how: 'signal: aborted (core dumped)' }],
  ['default-context', '0.14.2.log', { vramBytes: 0 }],
] as const) {
  test(`of ${name} in ${file} the facts are read, numbers as numbers`, () => {
    assert.deepEqual(factsOf(name, file), facts);
  });
}

for (const version of ['0.12.3', '0.33.0'])
  test(`the fake speaks as ${version} does`, async () => {
    await using bench = await openBench();
    const options = bench.options({ FAKE_VERSION: version });
    const tree = bench.start(ollamaSpec(options));
    await tree.untilReady([options.id], soon());
    const told = readFileSync(options.logFile, 'utf8')
      .split('\n')
      .flatMap((line) => readLine(line)?.name ?? []);
    assert.deepEqual(told, [
      'server-config',
      'listening',
      'compute-device',
      'compute-device',
      'load-start',
      'offload',
      'loaded-in',
    ]);
  });
