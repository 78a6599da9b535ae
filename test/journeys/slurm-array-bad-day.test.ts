/** An array in which one task is killed and one runs into its wall time. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Cluster, noCluster, startCluster } from './cluster.ts';
import { processesMarked, runProgram, until, untilGone } from './program.ts';
import { writeDistinctCorpus } from './tasks.ts';

/** So many that the first task is not done when the last one starts. */
const documents = 1000;

let cluster: Cluster;
before(async () => {
  if (noCluster === false) cluster = await startCluster();
});
after(() => cluster?.[Symbol.asyncDispose]());

test(
  'of an array of four one task is killed with -9 and one is requeued by the warning: every document is there once',
  { skip: noCluster, timeout: 240_000 },
  async () => {
    const corpus = join(cluster.folder, 'corpus');
    await writeDistinctCorpus(corpus, documents, 12);
    // A dead task's share goes to the others when it has been silent for so long.
    const env = {
      RAG_ENGINE: 'embedded',
      RAG_CHUNK_TOKENS: '64',
      RAG_CHUNK_OVERLAP: '0',
      RAG_TAKEOVER_SECONDS: '5',
    };
    await using job = await cluster.submit({
      script: 'rag_array',
      words: ['--input-file', corpus],
      env,
      sbatch: ['--array=0-3', '--cpus-per-task=1'],
    });
    const idOf = async (task: number): Promise<string> =>
      (await cluster.slurm('squeue', '-h', '-o', '%A', '-j', `${job.id}_${task}`)).trim();
    const supervisorOf = (id: string) =>
      processesMarked('SLURM_JOB_ID', id).find(({ command }) => command.includes('supervisor.js run'));
    const [killed, warned] = await until('two tasks to ingest', 60_000, async () => {
      const output = await job.output();
      if ((output.match(/-embed is ready/g) ?? []).length < 4) return undefined;
      return [await idOf(1), await idOf(2)] as const;
    });
    process.kill(supervisorOf(killed)?.pid ?? 0, 'SIGKILL');
    await cluster.slurm('scancel', '--batch', '--signal=USR2', `${job.id}_2`);
    await until('the end of all tasks', 150_000, async () => {
      const left = await cluster.slurm('squeue', '-h', '-j', job.id).catch(() => '');
      return left === '' ? true : undefined;
    });
    const output = await job.output();
    const shown = await cluster.slurm('scontrol', 'show', 'job', `${job.id}_2`);
    assert.match(shown, /Restarts=1/, output);
    for (const task of [0, 3])
      assert.match(await cluster.slurm('scontrol', 'show', 'job', `${job.id}_${task}`), /Restarts=0/);
    const { stdout } = await runProgram(['index', 'inspect', '--json'], {
      env: { RAG_WORKING_DIR: job.index },
    });
    const found = JSON.parse(stdout) as { documents: { processed: number; failed: number } };
    assert.deepEqual([found.documents.processed, found.documents.failed], [documents, 0], output);
    assert.equal(existsSync(join(job.runtime, 'ollama_service.json')), false);
    for (const id of [killed, warned]) await untilGone('SLURM_JOB_ID', id, 2000);
  },
);
