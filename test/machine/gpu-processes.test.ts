import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseComputeApps } from '../../src/machine/gpu-processes.ts';

test('memory of a process on two GPUs is added up, and what the driver does not tell is null', () => {
  assert.deepEqual(
    parseComputeApps('4711, 70000\n 4711, 512 \n4712, [N/A]\n\nNo running processes found\n'),
    [
      { pid: 4711, mebibytes: 70512 },
      { pid: 4712, mebibytes: null },
    ],
  );
});
