/** Where Slurm knows the processes of a job by their cgroup, it signals only its own child: the batch script, or the task. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { noClusterWith, startCluster, untilPhase } from './cluster.ts';
import { runProgram, untilGone } from './program.ts';
import { writeDistinctCorpus } from './tasks.ts';

const documents = 300;

test(
  'tracked by cgroup, jobs of one node and of two are requeued by the warning and finish, or commit and end by scancel',
  { skip: noClusterWith('cgroup'), timeout: 240_000 },
  async () => {
    await using cluster = await startCluster({ proctrack: 'cgroup', nodes: 2 });
    const corpus = join(cluster.folder, 'corpus');
    await writeDistinctCorpus(corpus, documents, 24);
    const submit = (script: string) =>
      cluster.submit({
        script,
        words: ['--mode', 'ingest', '--input-file', corpus],
        env: { RAG_ENGINE: 'embedded', RAG_CHUNK_TOKENS: '64', RAG_CHUNK_OVERLAP: '0' },
        sbatch: ['--gres=gpu:2', '--cpus-per-task=1'],
      });
    const processed = async (index: string): Promise<number> => {
      const { stdout } = await runProgram(['index', 'inspect', '--json'], {
        env: { RAG_WORKING_DIR: index },
      });
      return (JSON.parse(stdout) as { documents: { processed: number } }).documents.processed;
    };

    await using one = await submit('rag_allinone');
    await untilPhase(one, 'ingest');
    await cluster.slurm('scancel', '--batch', '--signal=USR2', one.id);
    await using two = await submit('rag_multinode');
    await untilPhase(two, 'ingest');
    await cluster.slurm('scancel', '--signal=USR2', two.id);
    for (const job of [one, two]) {
      const { state, exit } = await cluster.untilEnded(job, 120_000);
      assert.deepEqual([state, exit], ['COMPLETED', '0:0'], await job.output());
      assert.match(await cluster.slurm('scontrol', 'show', 'job', job.id), /Restarts=1/, await job.output());
      assert.equal(await processed(job.index), documents);
      await untilGone('SLURM_JOB_ID', job.id, 2000);
    }

    for (const script of ['rag_allinone', 'rag_multinode']) {
      await using job = await submit(script);
      await untilPhase(job, 'ingest');
      await cluster.slurm('scancel', job.id);
      const { state } = await cluster.untilEnded(job, 60_000);
      const output = await job.output();
      assert.equal(state, 'CANCELLED', output);
      // One of two nodes may be so much slower that the signal meets a supervisor that has said nothing yet.
      const [begun, over] = [/starting {2}job /g, /ended with (75|0):/g].map(
        (line) => output.match(line)?.length ?? 0,
      );
      assert.ok(begun !== undefined && begun > 0 && over !== undefined && over >= begun, output);
      assert.doesNotMatch(output, /requeued:|has failed/);
      await untilGone('SLURM_JOB_ID', job.id, 2000);
    }
  },
);
