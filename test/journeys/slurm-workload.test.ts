/** A training beside its retriever, in one job of a real Slurm. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { noCluster, startCluster, untilPhase } from './cluster.ts';
import { checkout, processesMarked, until, untilGone } from './program.ts';

const trainer = join(checkout, 'examples/trainer.py');
const corpus = join(checkout, 'examples/corpus');

test(
  'a training saves when it is warned, is requeued and goes on; the job ends with the code of its command',
  { skip: noCluster, timeout: 150_000 },
  async () => {
    await using cluster = await startCluster();
    const checkpoint = join(cluster.folder, 'checkpoint');
    const record = join(cluster.folder, 'record');
    await mkdir(record);
    const steps = ['--steps', '60', '--pause', '0.1', '--checkpoint', checkpoint];
    await using job = await cluster.submit({
      script: 'rag_workload',
      words: ['--input-file', corpus, '--', 'python3', trainer, ...steps],
      env: { RAG_WORKLOAD_SIGNAL: 'USR1', FAKE_OLLAMA_RECORD: record },
    });
    await until('a step', 60_000, () => (existsSync(checkpoint) ? true : undefined));
    const children = processesMarked('SLURM_JOB_ID', job.id);
    const reranker = children.find(({ command }) => /rerank/.test(command));
    assert.equal(reranker?.env['CUDA_VISIBLE_DEVICES'], '3', await job.output());
    const training = children.find(
      ({ command }) => command.includes('trainer.py') && !command.includes('supervisor'),
    );
    assert.equal(training?.env['CUDA_VISIBLE_DEVICES'], '0,1,2');
    assert.equal(training?.env['ROCR_VISIBLE_DEVICES'], undefined);
    for (const name of await readdir(record)) {
      const start = JSON.parse(await readFile(join(record, name), 'utf8')) as {
        argv: string[];
        env: Record<string, string>;
      };
      if (start.argv[0] === 'serve') assert.equal(start.env['CUDA_VISIBLE_DEVICES'], '3');
    }

    await cluster.slurm('scancel', '--batch', '--signal=USR2', job.id);
    const { state: phase } = await until('the requeue', 60_000, async () => {
      const shown = await cluster.slurm('scontrol', 'show', 'job', job.id);
      return /Restarts=1/.test(shown) ? { state: /JobState=(\w+)/.exec(shown)?.[1] } : undefined;
    });
    const saved = Number(await readFile(checkpoint, 'utf8'));
    assert.ok(saved > 0 && saved < 60, `${phase} after step ${saved}`);
    assert.match(await job.output(), /told to end by signal 10, step \d+ is saved/);

    // While that one waits: a training that fails.
    await using failing = await cluster.submit({
      script: 'searchr1',
      words: ['sh', '-c', 'echo "trains on $CUDA_VISIBLE_DEVICES of $RAG_RETRIEVER_URL"; exit 7'],
      sbatch: ['--gres=gpu:2'],
    });
    const failed = await cluster.untilEnded(failing, 60_000);
    assert.deepEqual([failed.state, failed.exit], ['FAILED', '7:0'], await failing.output());
    assert.match(await failing.output(), /trains on 0 of http:\/\/127\.0\.0\.1:\d+\/retrieve/);

    // And one that is cancelled, and does not hear.
    await using cancelled = await cluster.submit({
      script: 'searchr1',
      words: ['sh', '-c', "trap '' TERM; while :; do sleep 1; done"],
      sbatch: ['--gres=gpu:2'],
    });
    await untilPhase(cancelled, 'answering');
    await cluster.slurm('scancel', cancelled.id);
    const gone = await cluster.untilEnded(cancelled, 30_000);
    assert.deepEqual([gone.state, gone.exit], ['CANCELLED', '75:0'], await cancelled.output());

    const { state, exit } = await cluster.untilEnded(job, 90_000);
    const output = await job.output();
    assert.deepEqual([state, exit], ['COMPLETED', '0:0'], output);
    assert.match(output, new RegExp(`trainer: goes on after step ${saved}\\n`));
    assert.match(output, /trainer: step 60, 3 passages/);
    assert.equal(output.match(/trainer: step 30,/g)?.length, 1, 'no step is done twice');
    await untilGone('SLURM_JOB_ID', job.id, 2000);
  },
);
