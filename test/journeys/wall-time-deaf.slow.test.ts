/** A workload that does not end before the real time limit: nothing outlives the job, and status says how it went. Takes two minutes. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { noCluster, startCluster, untilPhase } from './cluster.ts';
import { runProgram, untilGone } from './program.ts';

test(
  'a workload that does not hear the warning is ended at the limit with everything else',
  { skip: noCluster, timeout: 240_000 },
  async () => {
    await using cluster = await startCluster();
    await using job = await cluster.submit({
      script: 'rag_workload',
      words: ['--', 'sh', '-c', "trap '' TERM USR1; while :; do sleep 1; done"],
      sbatch: ['--time=1', '--signal=B:USR2@30', '--no-requeue'],
      env: { RAG_ENGINE: 'embedded', RAG_DRAIN_SECONDS: '600' },
    });
    await untilPhase(job, 'answering');
    const { state, exit } = await cluster.untilEnded(job, 180_000);
    const { stdout } = await runProgram(['status', job.id], {
      env: { RAG_RUNTIME_STATE: job.runtime, SLURM_CONF: join(cluster.folder, 'slurm.conf') },
    });
    assert.deepEqual([state, exit], ['TIMEOUT', '75:0'], await job.output());
    assert.doesNotMatch(await job.output(), /is started again/);
    assert.match(
      stdout.replaceAll(/\s+/g, ' '),
      /ended with 75: stopped with work left \(its wall time was over, which Slurm calls TIMEOUT\)/,
    );
    assert.equal(existsSync(join(job.runtime, 'ollama_service.json')), false);
    await untilGone('SLURM_JOB_ID', job.id, 2000);
  },
);
