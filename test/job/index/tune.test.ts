import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RagError } from '../../../src/errors.ts';
import { tuneVectors } from '../../../src/job/index/tune.ts';
import type { Embed } from '../../../src/models/types.ts';
import type { Store } from '../../../src/store/types.ts';
import type { Tuning } from '../../../src/store/vector-index/tuning.ts';

const { signal } = new AbortController();
const tuning: Tuning = {
  kind: 'ivf_rq',
  search: 'compressed',
  nprobes: 4,
  refine: 3,
  recall: 0.991,
  depth: 100,
  queries: 48,
  rows: 9_000,
  at: '2026-01-01T00:00:00.000Z',
};

interface Scene {
  readonly samples?: readonly string[];
  readonly tune?: Store['tune'];
  readonly embed?: Embed | undefined;
}

const embedOne: Embed = ({ texts, kind }) => {
  assert.equal(kind, 'query');
  return Promise.resolve(texts.map((text) => Float32Array.of(text.length)));
};

async function run({ samples = [], tune = async () => null, embed = embedOne }: Scene): Promise<string[]> {
  const lines: string[] = [];
  const store = { samples: async () => [...samples], tune } satisfies Partial<Store>;
  const settings = { RAG_CANDIDATES: 100 };
  const room = { store, embed, settings, log: (_: string, line: string) => lines.push(line) };
  await tuneVectors(signal, room as unknown as Parameters<typeof tuneVectors>[1]);
  return lines;
}

test('samples are embedded as questions, and what was measured is told', async () => {
  const asked: unknown[] = [];
  const tune: Store['tune'] = async (questions, depth) => {
    asked.push(
      questions.map(([length]) => length),
      depth,
    );
    return tuning;
  };
  assert.deepEqual(await run({ samples: ['one', 'three'], tune }), [
    'vectors: compressed, 3 candidates for each hit: finds 0.991 of the nearest 100 (48 questions)',
  ]);
  assert.deepEqual(asked, [[3, 5], 100]);
});

test('where nothing is to be tuned nobody embeds and nothing is told', async () => {
  const embed: Embed = () => assert.fail('nobody may ask for this');
  assert.deepEqual(await run({ embed }), []);
});

test('a tuning that fails is told and harms nothing', async () => {
  const embed: Embed = () => Promise.reject(new RagError('model-unavailable', 'Cannot embed: it is gone'));
  const lines = await run({ samples: ['one'], embed });
  assert.equal(lines.length, 1);
  assert.match(lines[0] ?? '', /not tuned.*it is gone/);
});
