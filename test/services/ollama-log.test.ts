import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  isOutOfMemory,
  isPortTaken,
  isUnknownFlag,
  lastCrash,
  offloadedLayers,
  sawOnlyCpu,
} from '../../src/services/ollama-log.ts';

const newGpu =
  'time=2026-08-01 level=INFO msg="inference compute" id=0 filter_id=GPU-1234 library=CUDA compute=8.0 total="79.6 GiB" available="79.1 GiB"';
const cpu =
  'time=x level=INFO msg="inference compute" id=cpu library=cpu compute="" total="1.0 TiB" available="1.0 TiB"';

test('sawOnlyCpu() is true only where the server said what it found, and that was no GPU', () => {
  assert.equal(sawOnlyCpu([cpu]), true);
  assert.equal(sawOnlyCpu([cpu, newGpu]), false);
  assert.equal(sawOnlyCpu([]), false);
});

test('offloadedLayers() reads the newest line', () => {
  assert.deepEqual(
    offloadedLayers([
      'load_tensors: offloaded 3/95 layers to GPU',
      'x',
      'load_tensors: offloaded 95/95 layers to GPU',
    ]),
    {
      offloaded: 95,
      of: 95,
    },
  );
  assert.equal(offloadedLayers(['x']), null);
});

test('errors of a start are told apart by their text', () => {
  const taken = ['Error: listen tcp 127.0.0.1:11434: bind: address already in use'];
  assert.deepEqual([isPortTaken(taken), isUnknownFlag(taken)], [true, false]);
  const flag = ['Error: unknown flag: --host'];
  assert.deepEqual([isPortTaken(flag), isUnknownFlag(flag)], [false, true]);
});

test('lastCrash() knows the words of both eras', () => {
  const old = 'time=2025-10-01T10:00:00.000Z level=ERROR msg="llama runner terminated" error="exit status 2"';
  const young =
    'time=2025-10-01T10:00:00.000Z level=ERROR msg="llama-server terminated" error="signal: killed"';
  assert.equal(lastCrash(['x', old, 'y']), old);
  assert.equal(lastCrash([old, young, 'y']), young);
  assert.equal(lastCrash(['all is well']), undefined);
});

test('isOutOfMemory() recognises what no restart cures', () => {
  assert.ok(isOutOfMemory('model requires more system memory (152.6 GiB) than is available (64 GiB)'));
  assert.ok(isOutOfMemory('cudaMalloc failed: out of memory'));
  assert.ok(!isOutOfMemory('EOF'));
});
