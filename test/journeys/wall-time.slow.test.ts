/** A real time limit: Slurm sends the warning, nobody else. Takes a minute. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { noCluster, startCluster } from './cluster.ts';
import { until, untilGone } from './program.ts';

test(
  'a service whose wall time nears drains and ends with 0 before the limit',
  { skip: noCluster, timeout: 240_000 },
  async () => {
    await using cluster = await startCluster();
    await using job = await cluster.submit({
      words: [],
      sbatch: ['--time=1', '--signal=B:USR2@30', '--no-requeue'],
    });
    const file = join(job.runtime, 'ollama_service.json');
    await until('the endpoint file', 60_000, () => (existsSync(file) ? true : undefined));
    const { state, exit } = await cluster.untilEnded(job, 120_000);
    assert.deepEqual([state, exit], ['COMPLETED', '0:0'], await job.output());
    assert.match(await job.output(), /stopping: SIGUSR2/);
    assert.match(await job.output(), /ended with 0: done \(its wall time neared\)/);
    assert.equal(existsSync(file), false);
    await untilGone('SLURM_JOB_ID', job.id, 1000);
  },
);
