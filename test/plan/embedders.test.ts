import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';
import { embedInstances } from '../../src/plan/embedders.ts';

const shares = (gpus: readonly string[], count: number | 'auto'): string[] =>
  embedInstances({ id: 'ollama-embed', model: 'm', gpus, count }).map(
    (instance) => `${instance.id}=${instance.gpus.join('+')}`,
  );

test('one instance sees every GPU, and keeps its plain name', () => {
  assert.deepEqual(shares(['0', '1', '2'], 'auto'), ['ollama-embed=0+1+2']);
  assert.deepEqual(shares(['0', '1', '2'], 1), ['ollama-embed=0+1+2']);
});

test('several share the GPUs out, neighbours together, or share one in turns', () => {
  assert.deepEqual(shares(['0', '1', '2'], 2), ['ollama-embed-1=0', 'ollama-embed-2=1+2']);
  assert.deepEqual(shares(['a', 'b'], 3), ['ollama-embed-1=a', 'ollama-embed-2=b', 'ollama-embed-3=a']);
  assert.deepEqual(shares([], 2), ['ollama-embed-1=', 'ollama-embed-2=']);
});

test('no GPU is left out, and no instance goes without one where there is any', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 20 }), (gpuCount, count) => {
      const gpus = Array.from({ length: gpuCount }, (_, at) => `GPU-${at}`);
      const instances = embedInstances({ id: 'e', model: 'm', gpus, count });
      assert.equal(instances.length, count);
      assert.ok(instances.every((instance) => instance.gpus.length > 0));
      const dealt = instances.flatMap((instance) => instance.gpus);
      assert.deepEqual([...new Set(dealt)].sort(), [...gpus].sort());
      if (count <= gpuCount) assert.equal(dealt.length, gpuCount);
    }),
  );
});
