/** Ten thousand malformed requests, as many in short as a service meets in no year. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fuzz } from './fuzz/run.ts';
import { startService } from './fuzz/service.ts';

/**
 * Memory: resident MiB of the supervisor and all of its children as the kernel counts them, after each tenth. Heaps grow
 * towards what the largest bodies take; from the middle on they must not grow any more.
 */
const mostGrowth = 1.15;

test('10,000 malformed requests: no crash, no 500 without a code, every refusal as promised, memory flat', async (context) => {
  const service = await startService();
  let stopped: Awaited<ReturnType<typeof service.stop>> | undefined;
  try {
    const { findings, statuses, residentMiB, seconds } = await fuzz({ ...service, count: 10_000, seed: 1 });
    context.diagnostic(JSON.stringify({ statuses, seconds, residentMiB: residentMiB.map(Math.round) }));
    assert.deepEqual(findings.slice(0, 5), []);
    const [first, second] = [residentMiB.slice(0, 6), residentMiB.slice(6)];
    assert.ok(Math.max(...second) <= mostGrowth * Math.max(...first), residentMiB.join());
    const { services } = (await (await fetch(`${service.url}/status`)).json()) as {
      services: { id: string; restarts: number }[];
    };
    for (const { id, restarts } of services) assert.deepEqual([id, restarts], [id, 0]);
  } finally {
    stopped = await service.stop();
  }
  assert.equal(stopped.code, 0, stopped.stderr);
  assert.doesNotMatch(stopped.stderr, /warn: |error: /);
});
