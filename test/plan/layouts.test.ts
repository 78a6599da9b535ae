import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { knownModels } from '../../src/plan/known-models.ts';
import {
  hasTwoLayouts,
  inAnswering,
  instancesIn,
  makeLayoutMemory,
  withLayouts,
} from '../../src/plan/layouts.ts';
import { type Facts, makeMemory } from '../../src/plan/memory.ts';
import { makePlan, type PlanInput } from '../../src/plan/plan.ts';
import type { Plan } from '../../src/plan/types.ts';

const gib = 2 ** 30;
const generateModel = 'qwen3:235b';
const embedModel = 'qwen3-embedding:8b';

const input = (gpus: readonly string[], more: Partial<PlanInput> = {}): PlanInput => ({
  gpus,
  insideJob: true,
  mode: 'serve',
  engine: 'ollama',
  hasOllama: true,
  generateModel,
  embedModel,
  reranker: { backend: 'none', modelPath: undefined, url: undefined },
  allowCpu: false,
  ...more,
});

const known = (gpus: readonly string[], size: number, hostGib: number | null = 256): Facts => ({
  shapes: knownModels,
  contextOf: ({ role }) => (role === 'generate' ? 16_384 : 2048),
  gpuBytes: new Map(gpus.map((gpu) => [gpu, size * gib])),
  hostBytes: hostGib === null ? null : hostGib * gib,
});

const placed = (plan: Plan): string[] =>
  plan.instances.map(({ id, gpus, layout }) => `${id} ${layout ?? 'both'} ${gpus.join('+')}`);

const two = ['GPU-a', 'GPU-b'];
const auto = { embedders: 'auto', layouts: 'auto' } as const;

test('a generator that takes both GPUs: an embed server on each ingests, then it comes, and questions are embedded on the CPU', () => {
  const plan = withLayouts(makePlan(input(two)), known(two, 80), auto);
  assert.deepEqual(placed(plan), [
    'ollama-generate answering GPU-a+GPU-b',
    'ollama-embed-1 ingest GPU-a',
    'ollama-embed-2 ingest GPU-b',
    'ollama-embed-ask answering ',
  ]);
  assert.match(plan.warnings.join('\n'), /qwen3:235b and the embed server do not fit beside each other/);
  assert.match(plan.warnings.join('\n'), /embedded on the CPU/);
  assert.deepEqual(
    makeLayoutMemory(plan, known(two, 80)).map(({ instance, fits }) => [instance, fits]),
    [
      ['ollama-embed-1', true],
      ['ollama-embed-2', true],
      ['ollama-generate', true],
      ['ollama-embed-ask', true],
    ],
  );
});

test('several servers that were asked for ingest, and one that has room beside the generator embeds what comes later', () => {
  const plan = withLayouts(makePlan(input(two, { embedInstances: 4 })), known(two, 86), {
    embedders: 4,
    layouts: 'auto',
  });
  assert.deepEqual(placed(plan).slice(1), [
    'ollama-embed-1 ingest GPU-a',
    'ollama-embed-2 ingest GPU-b',
    'ollama-embed-3 ingest GPU-a',
    'ollama-embed-4 ingest GPU-b',
    'ollama-embed-ask answering GPU-a+GPU-b',
  ]);
  assert.doesNotMatch(plan.warnings.join('\n'), /CPU/);
});

test('what runs in both layouts is in both', () => {
  const gpus = [...two, 'GPU-c'];
  const reranker = { backend: 'sidecar', modelPath: '/models/bge', url: undefined } as const;
  const plan = withLayouts(makePlan(input(gpus, { reranker })), known(gpus, 80), auto);
  assert.deepEqual(placed(plan).at(-1), 'reranker both GPU-c');
  const idsIn = (layout: 'ingest' | 'answering'): string[] => instancesIn(plan, layout).map(({ id }) => id);
  assert.deepEqual(idsIn('ingest'), ['ollama-embed-1', 'ollama-embed-2', 'reranker']);
  assert.deepEqual(idsIn('answering'), ['ollama-generate', 'ollama-embed-ask', 'reranker']);
});

for (const [why, plan, facts] of [
  ['everything fits', makePlan(input(two)), known(two, 96)],
  ['the generator does not fit alone', makePlan(input(two)), known(two, 48)],
  ['the size of a GPU is not known', makePlan(input(two)), known(['GPU-a'], 80)],
  ['a model is not known', makePlan(input(two, { generateModel: 'stranger' })), known(two, 80)],
  ['the embed servers do not fit alone', makePlan(input(two, { embedInstances: 40 })), known(two, 80)],
  ['nothing is generated', makePlan(input(two, { generateModel: 'none' })), known(two, 4)],
  ['there is no GPU', makePlan(input([], { allowCpu: true })), known([], 80, 64)],
] as const)
  test(`one layout where ${why}`, () => {
    const embedders = why === 'the embed servers do not fit alone' ? 40 : 'auto';
    assert.equal(withLayouts(plan, facts, { embedders, layouts: 'auto' }), plan);
  });

test('who knows that both fit has them side by side, whatever the estimate says', () => {
  const one = { ...auto, layouts: 'one' } as const;
  const plan = makePlan(input(two));
  assert.equal(withLayouts(plan, known(two, 80), one), plan);
  assert.equal(inAnswering(plan, known(two, 80), one), plan);
});

test('who asks for two has them where both fit and where nothing is known, and not where neither order would help', () => {
  const asked = { ...auto, layouts: 'two' } as const;
  const roomy = withLayouts(makePlan(input(two)), known(two, 96), asked);
  assert.deepEqual(placed(roomy), [
    'ollama-generate answering GPU-a+GPU-b',
    'ollama-embed-1 ingest GPU-a',
    'ollama-embed-2 ingest GPU-b',
    'ollama-embed-ask answering GPU-a+GPU-b',
  ]);
  assert.deepEqual(roomy.warnings, [roomy.warnings[0]]);
  assert.match(roomy.warnings[0] ?? '', /RAG_LAYOUTS=two: everything is ingested first/);
  const unknown = { ...known([], 80, null), shapes: new Map() };
  const blind = withLayouts(makePlan(input(two)), unknown, asked);
  assert.deepEqual(placed(blind), [
    'ollama-generate answering GPU-a+GPU-b',
    'ollama-embed ingest GPU-a+GPU-b',
    'ollama-embed-ask answering ',
  ]);
  assert.match(blind.warnings.join('\n'), /embedded on the CPU/);
  assert.deepEqual(placed(inAnswering(makePlan(input(two)), known(two, 96), asked)), [
    'ollama-generate both GPU-a+GPU-b',
    'ollama-embed both GPU-a+GPU-b',
  ]);
  const small = makePlan(input(two));
  assert.equal(withLayouts(small, known(two, 48), asked), small);
});

test('a run with nothing to ingest has the second layout from its start, and no switch', () => {
  const plan = inAnswering(makePlan(input(two)), known(two, 80), auto);
  assert.deepEqual(placed(plan), ['ollama-generate both GPU-a+GPU-b', 'ollama-embed both ']);
  assert.deepEqual([plan.warnings.length, /CPU/.test(plan.warnings[0] ?? '')], [1, true]);
  const beside = makePlan(input(two));
  assert.equal(inAnswering(beside, known(two, 96), auto), beside);
});

test('every layout of every plan fits, or is warned of', () => {
  const sizes = fc.record({
    count: fc.integer({ min: 1, max: 8 }),
    size: fc.integer({ min: 4, max: 200 }),
    host: fc.option(fc.integer({ min: 1, max: 256 })),
    layouts: fc.constantFrom('auto' as const, 'two' as const),
    wanted: fc.oneof(fc.constant('auto' as const), fc.integer({ min: 1, max: 10 })),
  });
  let switched = 0;
  fc.assert(
    fc.property(sizes, ({ count, size, host, wanted, layouts }) => {
      const gpus = Array.from({ length: count }, (_, at) => String(at));
      const facts = known(gpus, size, host);
      const beside = makePlan(input(gpus, { embedInstances: wanted }));
      const plan = withLayouts(beside, facts, { embedders: wanted, layouts });
      const lines = makeLayoutMemory(plan, facts);
      assert.deepEqual(
        lines.map(({ instance }) => instance).sort(),
        plan.instances.map(({ id }) => id).sort(),
        'every instance is told of once',
      );
      if (!hasTwoLayouts(plan)) {
        assert.deepEqual(lines, makeMemory({ ...facts, instances: beside.instances }));
        return;
      }
      switched += 1;
      const onGpus = lines.filter((line) => line.gpus.length > 0);
      assert.ok(onGpus.every(({ fits }) => fits === true));
      assert.equal(
        plan.warnings.some((warning) => warning.includes('CPU')),
        onGpus.length < lines.length,
      );
      assert.equal(new Set(plan.instances.map(({ id }) => id)).size, plan.instances.length);
      assert.ok(plan.instances.every(({ gpus: its }) => its.every((gpu) => gpus.includes(gpu))));
    }),
    { numRuns: 500 },
  );
  assert.ok(switched > 10, `${switched}`);
});
