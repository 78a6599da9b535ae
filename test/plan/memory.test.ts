import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ModelShape } from '../../src/machine/model-shape.ts';
import {
  gpusFor,
  kvBytes,
  makeDemand,
  makeMemory,
  memoryText,
  roomForEmbedders,
} from '../../src/plan/memory.ts';

const gib = 2 ** 30;
/** Q4_K_M; 132.3 GiB of weights, as its server's log said. */
const large: ModelShape = {
  weightsBytes: 132.3 * gib,
  layers: 94,
  kvHeads: 4,
  keyLength: 128,
  valueLength: 128,
};
const embedder: ModelShape = {
  weightsBytes: 4.7 * gib,
  layers: 36,
  kvHeads: 8,
  keyLength: 128,
  valueLength: 128,
};

test('the cache of a context is what servers were seen to take', () => {
  assert.equal(kvBytes(large, 1), 192_512);
  assert.equal(kvBytes(large, 4096), 752 * 2 ** 20);
  assert.equal(kvBytes(embedder, 1), 147_456);
  assert.equal((kvBytes(large, 16_384) / gib).toFixed(2), '2.94');
  assert.equal((kvBytes(large, 40_960) / gib).toFixed(1), '7.3');
});

test('the large model fits two cards of 80 GiB, tightly, and wants five of 32', () => {
  assert.equal(gpusFor(large, 16_384, 80 * gib), 2);
  assert.equal(gpusFor(large, 16_384, 32 * gib), 5);
  assert.equal(gpusFor(large, 16_384, 48 * gib), 4);
  assert.equal(gpusFor(large, 16_384, gib / 2), null);
  const { total } = makeDemand(large, 16_384, 2);
  assert.ok(total > 150 * gib && total < 160 * gib, `${total / gib}`);
});

test('instances on the same cards share them, and the one that does not fit says how many would do', () => {
  const gpus = ['0'];
  const [generate, embed] = makeMemory({
    instances: [
      { id: 'ollama-generate', role: 'generate', model: 'large', gpus },
      { id: 'ollama-embed', role: 'embed', model: 'small', gpus },
    ],
    shapes: new Map([
      ['large', large],
      ['small', embedder],
    ]),
    contextOf: () => 16_384,
    gpuBytes: new Map([['0', 32 * gib]]),
    hostBytes: null,
  });
  assert.equal(generate?.fits, false);
  assert.equal(generate.gpus_wanted, 5);
  assert.match(
    memoryText(generate),
    /does not fit: its GPU has 32\.0 GiB for it; 5 GPUs of this size to itself would do/,
  );
  assert.equal(embed?.have, 0);
});

test('what is not known is not judged', () => {
  const instance = { id: 'ollama-embed', role: 'embed', model: 'small', gpus: ['GPU-a', 'GPU-b'] } as const;
  const shapes = new Map([['small', embedder]]);
  const given = { instances: [instance], shapes, contextOf: () => 2048, hostBytes: null };
  const [line] = makeMemory({ ...given, gpuBytes: new Map([['GPU-a', 80 * gib]]) });
  assert.deepEqual([line?.have, line?.fits], [null, null]);
  assert.deepEqual(makeMemory({ ...given, shapes: new Map(), gpuBytes: new Map() }), []);
});

test('an embed server for each GPU that has room beside the generator, where that is known', () => {
  const gpus = ['0', '1', '2', '3'];
  const embed = { id: 'ollama-embed', role: 'embed', model: 'small', gpus } as const;
  const generate = { id: 'ollama-generate', role: 'generate', model: 'large', gpus } as const;
  const shapes = new Map([
    ['large', large],
    ['small', embedder],
  ]);
  const sized = (size: number): ReadonlyMap<string, number> => new Map(gpus.map((gpu) => [gpu, size * gib]));
  const facts = (size: number) => ({ shapes, contextOf: () => 2048, gpuBytes: sized(size) });
  assert.equal(roomForEmbedders(facts(80), embed, [generate]), 4);
  assert.equal(roomForEmbedders(facts(48), embed, [generate]), 4);
  assert.equal(roomForEmbedders(facts(40), embed, [generate]), 0);
  assert.equal(roomForEmbedders(facts(40), embed, []), 4);
  assert.equal(roomForEmbedders({ ...facts(40), gpuBytes: new Map() }, embed, []), null);
  const lines = makeMemory({
    ...facts(48),
    instances: [generate, { ...embed, gpus: ['0'] }],
    hostBytes: null,
  });
  assert.ok((lines[1]?.have ?? 0) < 12 * gib, 'the generator takes its part of each GPU');
});
