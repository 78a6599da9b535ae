/** What goes otherwise than usual with one job: no requeue, no environment, a kill; and a script before it is submitted. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Cluster, noCluster, startCluster, type SubmittedJob, untilPhase } from './cluster.ts';
import { checkout, processesMarked, runProgram, untilGone } from './program.ts';
import { summaryOf, writeDistinctCorpus } from './tasks.ts';

const documents = 300;
const own = { RAG_ENGINE: 'embedded', RAG_CHUNK_TOKENS: '64', RAG_CHUNK_OVERLAP: '0' };

let cluster: Cluster;
let corpus: string;
let tools: Readonly<Record<string, string>>;
before(async () => {
  if (noCluster !== false) return;
  cluster = await startCluster();
  corpus = join(cluster.folder, 'corpus');
  await writeDistinctCorpus(corpus, documents, 24);
  tools = { SLURM_CONF: join(cluster.folder, 'slurm.conf') };
});
after(() => cluster?.[Symbol.asyncDispose]());

test(
  'a job that Slurm may not requeue ends with 75 and says why, and the same command goes on',
  { skip: noCluster, timeout: 120_000 },
  async () => {
    const data = join(cluster.folder, 'no-requeue');
    const command = {
      words: ['--mode', 'ingest', '--input-file', corpus, '--json'],
      sbatch: ['--no-requeue', '--gres=gpu:1'],
      env: { ...own, RAG_SHARED_ROOT: data, RAG_RUNTIME_STATE: join(data, 'runtime') },
    };
    await using first = await cluster.submit(command);
    await untilPhase(first, 'ingest');
    await cluster.slurm('scancel', '--batch', '--signal=USR2', first.id);
    const stopped = await cluster.untilEnded(first, 60_000);
    const output = await first.output();
    assert.deepEqual([stopped.state, stopped.exit], ['FAILED', '75:0'], output);
    assert.match(output, /not requeued: .*disabled.*the same sbatch command goes on/);
    assert.match(await cluster.slurm('scontrol', 'show', 'job', first.id), /Restarts=0/);

    await using second = await cluster.submit(command);
    assert.equal((await cluster.untilEnded(second, 60_000)).exit, '0:0', await second.output());
    const lines = (await second.output()).split('\n').filter((line) => line.startsWith('{"documents"'));
    const summary = summaryOf({ code: 0, signal: null, stdout: lines.join('\n'), stderr: '' });
    assert.equal(summary.documents.processed + summary.documents.unchanged, documents);
  },
);

test(
  'with --export=NONE the job runs, and a step of its workload finds its program and the first GPUs',
  { skip: noCluster, timeout: 120_000 },
  async () => {
    const config = join(cluster.folder, 'config.yaml');
    const data = join(cluster.folder, 'no-environment');
    const settings = {
      RAG_ENGINE: 'embedded',
      RAG_SHARED_ROOT: data,
      RAG_RUNTIME_STATE: join(data, 'runtime'),
      LOG_ROOT: join(data, 'logs'),
    };
    await writeFile(config, JSON.stringify(settings));
    const step = 'echo "step: GPUs $CUDA_VISIBLE_DEVICES, $(command -v python3), $RAG_RETRIEVER_URL"';
    await using job = await cluster.submit({
      script: 'rag_workload',
      words: ['--config', config, '--', 'srun', '--gres=gpu:3', '--ntasks=1', 'bash', '-c', step],
      sbatch: ['--export=NONE', `--chdir=${checkout}`],
    });
    const { state, exit } = await cluster.untilEnded(job, 60_000);
    const output = await job.output();
    assert.deepEqual([state, exit], ['COMPLETED', '0:0'], output);
    assert.match(output, /step: GPUs 0,1,2, \S+python3, http:\/\/127\.0\.0\.1:\d+\/retrieve/);
  },
);

const statusOf = async (job: SubmittedJob): Promise<string> => {
  const { stdout } = await runProgram(['status', job.id], {
    env: { ...tools, RAG_RUNTIME_STATE: job.runtime },
  });
  return stdout;
};

test(
  'of a job that was killed status tells what Slurm says of it',
  { skip: noCluster, timeout: 90_000 },
  async () => {
    await using job = await cluster.submit({ words: [], env: own, sbatch: ['--gres=gpu:1'] });
    await untilPhase(job, 'answering');
    // `scancel --signal=KILL` would be a scancel like any other: TERM comes first.
    const supervisor = processesMarked('SLURM_JOB_ID', job.id).find(({ command }) =>
      command.includes('supervisor.js run'),
    );
    process.kill(supervisor?.pid ?? 0, 'SIGKILL');
    const { state, exit } = await cluster.untilEnded(job, 60_000);
    await untilGone('SLURM_JOB_ID', job.id, 2000);
    const said = await statusOf(job);
    assert.match(said, /gone while answering, without saying why/);
    assert.ok(said.includes(`Slurm says ${state} (${exit})`), said);
  },
);

test(
  'before a script is submitted doctor asks Slurm what it thinks of its time and of what it wants',
  { skip: noCluster, timeout: 60_000 },
  async () => {
    const judge = async (...directives: readonly string[]) => {
      const script = join(cluster.folder, 'mine.sbatch');
      const lines = [
        '#!/bin/bash',
        ...directives.map((each) => `#SBATCH ${each}`),
        "trap '' USR2",
        'exec node dist/supervisor.js run',
      ];
      await writeFile(script, `${lines.join('\n')}\n`);
      const { stdout } = await runProgram(['doctor', '--json', '--sbatch', script], {
        env: { ...tools, RAG_ENGINE: 'embedded', RAG_SHARED_ROOT: join(cluster.folder, 'doctor') },
        cwd: cluster.folder,
      });
      const { findings } = JSON.parse(stdout) as {
        findings: readonly { about: string; state: string; what: string }[];
      };
      const mine = findings.filter(({ about }) => about === 'batch script');
      return mine.map(({ state, what }) => `${state}: ${what}`).join('\n');
    };
    const usual = ['--signal=B:USR2@120', '--gres=gpu:4'];
    const good = await judge('--time=0:30:00', ...usual);
    assert.match(good, /ok: --time=0:30:00: partition gpu allows 01:00:00/);
    assert.match(good, /ok: Job \d+ to start at /);
    assert.doesNotMatch(good, /failure|warning/);
    assert.match(await judge('--time=24:00:00', ...usual), /failure: --time=24:00:00 is above the limit/);
    const tooMany = await judge('--time=0:30:00', '--signal=B:USR2@120', '--gres=gpu:9');
    assert.match(tooMany, /failure: .*configuration is not available/);
    assert.match(
      await judge('--time=0:30:00', '--partition=nowhere', ...usual),
      /failure: .*invalid partition/i,
    );
  },
);
