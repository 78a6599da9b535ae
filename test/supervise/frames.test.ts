import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { makeFrameReader } from '../../src/supervise/frames.ts';

const read = (chunks: readonly Buffer[], maxBytes?: number) => {
  const frames: unknown[] = [];
  const nonsense: string[] = [];
  const push = makeFrameReader(
    (frame) => frames.push(frame),
    (reason) => nonsense.push(reason),
    maxBytes,
  );
  chunks.forEach(push);
  return { frames, nonsense };
};

test('frames arrive whole and in order, wherever the stream was cut', () => {
  fc.assert(
    fc.property(
      fc.array(fc.jsonValue(), { maxLength: 8 }),
      fc.integer({ min: 1, max: 40 }),
      (values, size) => {
        const bytes = Buffer.from(values.map((value) => `${JSON.stringify(value)}\n`).join(''));
        const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
          bytes.subarray(i * size, (i + 1) * size),
        );
        assert.deepEqual(
          read(chunks).frames,
          values.map((value) => JSON.parse(JSON.stringify(value)) as unknown),
        );
      },
    ),
  );
});

test('a line that is no JSON is told and skipped', () => {
  const { frames, nonsense } = read([Buffer.from('{"a":1}\nLoading: 100%\n\n{"a":2}\n')]);
  assert.deepEqual(frames, [{ a: 1 }, { a: 2 }]);
  assert.match(nonsense.join(), /Loading: 100%/);
});

test('a line beyond the cap is dropped without being kept, and the next frame is read', () => {
  const { frames, nonsense } = read([Buffer.from(`"${'x'.repeat(50)}`), Buffer.from('x"\n[1]\n')], 16);
  assert.deepEqual(frames, [[1]]);
  assert.deepEqual(nonsense, ['a line of 53 bytes, at most 16 are read']);
});
