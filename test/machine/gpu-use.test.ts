import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseGpuUse } from '../../src/machine/gpu-use.ts';

const gib = 2 ** 30;

test('use and memory are read from the lines of nvidia-smi, by index and UUID', () => {
  const text = '0, GPU-aa, 87, 71680, 143771, NVIDIA H200\n1, GPU-bb, 0, 4, 143771, NVIDIA H200\n';
  const [first, second] = parseGpuUse(text);
  assert.deepEqual(first, {
    index: '0',
    uuid: 'GPU-aa',
    name: 'NVIDIA H200',
    use: 0.87,
    memoryBytes: 70 * gib,
    memoryTotalBytes: 143_771 * 2 ** 20,
  });
  assert.deepEqual([second?.index, second?.use], ['1', 0]);
});

test('what the driver does not tell is not known: MIG, an old card, a card that fell off its bus', () => {
  const text = [
    '0, GPU-aa, [N/A], [N/A], 81920, NVIDIA A100-SXM4-80GB',
    '1, GPU-bb, [Not Supported], 100, 200, Quadro, of old',
    '2, GPU-cc, [Unknown Error], [Unknown Error], [Unknown Error], ?',
  ].join('\n');
  assert.deepEqual(
    parseGpuUse(text).map(({ use, memoryBytes, name }) => [use, memoryBytes, name]),
    [
      [null, null, 'NVIDIA A100-SXM4-80GB'],
      [null, 100 * 2 ** 20, 'Quadro, of old'],
      [null, null, '?'],
    ],
  );
});

test('other lines are passed over: a wrapper that greets, a complaint, the answer to another question', () => {
  assert.deepEqual(parseGpuUse('Welcome to cluster!\nNo devices were found\n0, GPU-aa, 81920\n\n'), []);
});
