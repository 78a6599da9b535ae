import assert from 'node:assert/strict';
import { test } from 'node:test';

import { deviceStatus, deviceText } from '../../../src/job/services/device.ts';
import type { SidecarReady } from '../../../src/services/sidecar-ready.ts';

const ready: SidecarReady = {
  ready: true,
  pid: 7,
  device: 'cuda:0',
  device_name: 'NVIDIA H200',
  dtype: 'float16',
  load_ms: 9_000,
  torch: '2.13.0',
  transformers: '5.18.0',
  memory_bytes: 5 * 2 ** 30,
  encode: [],
};

test('a device is known from the first frame on, and its work from the statistics', () => {
  assert.equal(deviceText(deviceStatus(ready, null)), 'cuda:0 NVIDIA H200, float16, 5.0 GiB');
  const stats = {
    id: 0,
    memory_bytes: 5.5 * 2 ** 30,
    memory_peak_bytes: 9 * 2 ** 30,
    memory_total_bytes: 139.8 * 2 ** 30,
    pairs: 12_345,
    pairs_per_s: 310.5,
    batch_size: 48,
  } as const;
  assert.equal(
    deviceText(deviceStatus(ready, stats)),
    'cuda:0 NVIDIA H200, float16, 5.5 of 139.8 GiB (peak 9.0), batch 48, 12345 pairs at 310.5/s',
  );
});

test('a device without a name or memory of its own is the CPU', () => {
  const onCpu = { ...ready, device: 'cpu', device_name: null, dtype: 'float32', memory_bytes: null };
  assert.equal(deviceText(deviceStatus(onCpu, null)), 'cpu, float32');
});
