/** `stop` from another node, for supervisors that are the tasks of a step. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { noCluster, startCluster, untilPhase } from './cluster.ts';
import { checkout } from './program.ts';

test(
  'stop from elsewhere ends a job whose supervisors are tasks of a step',
  { skip: noCluster, timeout: 120_000 },
  async () => {
    await using cluster = await startCluster({ nodes: 2 });
    await using job = await cluster.submit({
      script: 'rag_multinode',
      words: ['--mode', 'serve'],
      sbatch: ['--nodes=2', '--gres=gpu:1'],
      env: { RAG_ENGINE: 'embedded' },
    });
    await untilPhase(job, 'answering');
    // In a pid namespace of its own, where a pid proves nothing, as on another node.
    const stop = ['node', join(checkout, 'dist/supervisor.js'), 'stop', job.id];
    const { stdout, stderr } = await promisify(execFile)(
      'unshare',
      ['--pid', '--fork', '--mount-proc', ...stop],
      {
        env: {
          ...process.env,
          PATH: `${join(process.execPath, '..')}:${process.env['PATH']}`,
          SLURM_CONF: join(cluster.folder, 'slurm.conf'),
          RAG_RUNTIME_STATE: job.runtime,
        },
        timeout: 60_000,
      },
    );
    assert.match(stderr, /TERM was sent through Slurm to all of \d+\.0/);
    assert.match(stdout, /ended with 0/);
    const { state, exit } = await cluster.untilEnded(job, 30_000);
    assert.deepEqual([state, exit], ['COMPLETED', '0:0'], await job.output());
  },
);
