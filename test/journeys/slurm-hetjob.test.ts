/** A heterogeneous job: training on one node, the retriever on another, reached with a token. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Cluster, noCluster, startCluster } from './cluster.ts';
import { checkout, runProgram, until, untilGone } from './program.ts';

let cluster: Cluster;
before(async () => {
  if (noCluster === false) cluster = await startCluster({ nodes: 2 });
});
after(() => cluster?.[Symbol.asyncDispose]());

test(
  'the training node finds the retriever of the other node, and the job ends with the training',
  { skip: noCluster, timeout: 150_000 },
  async () => {
    const index = join(cluster.folder, 'index');
    const env = { RAG_ENGINE: 'embedded', RAG_WORKING_DIR: index };
    const words = ['run', '--mode', 'ingest', '--input-file', join(checkout, 'examples/corpus')];
    assert.equal(
      (await runProgram(words, { env: { ...env, LOG_ROOT: join(cluster.folder, 'logs') } })).code,
      0,
    );

    const training = ['python3', join(checkout, 'examples/trainer.py'), '--steps', '2'];
    // For the first component and for the second.
    const sbatch = ['--cpus-per-task=2', '--time=5', ':', '--cpus-per-task=2', '--time=5'];
    await using job = await cluster.submit({
      script: 'rag_retriever_node',
      words: training,
      env,
      sbatch,
      bare: true,
    });
    const { state, exit } = await cluster.untilEnded(job, 100_000);
    const output = await job.output();
    assert.deepEqual([state, exit], ['COMPLETED', '0:0'], output);
    assert.match(output, /trainer: step 2, 3 passages/);
    assert.doesNotMatch(output, /retriever at 127\.0\.0\.1/, output);
    await untilGone('SLURM_JOB_ID', job.id, 5000);
  },
);

/** For the first component and for the second. */
const components = ['--cpus-per-task=2', '--time=5', ':', '--cpus-per-task=2', '--time=5'];

test(
  'the warning reaches the training alone, which has its own CPUs and its own retriever beside another live service',
  { skip: noCluster, timeout: 150_000 },
  async () => {
    const env = {
      RAG_ENGINE: 'embedded',
      RAG_WORKING_DIR: join(cluster.folder, 'warned-index'),
      RAG_RUNTIME_STATE: join(cluster.folder, 'shared-runtime'),
      RAG_WORKLOAD_SIGNAL: 'USR1',
    };
    await using other = await cluster.submit({
      script: 'ollama_service',
      words: [],
      env,
      sbatch: ['--gres=gpu:1'],
    });
    await until('the other service', 60_000, async () =>
      / ready: /.test(await other.output()) ? true : undefined,
    );
    const ask = 'curl -s -o /dev/null -w "asked %{http_code}\\n" "$RAG_RETRIEVER_URL"';
    const training = `trap '${ask}; echo saved; exit 5' USR1; echo "trains with $SLURM_CPUS_PER_TASK CPUs and $RAG_URL"
      while :; do sleep 0.2; done`;
    await using job = await cluster.submit({
      script: 'rag_retriever_node',
      words: ['bash', '-c', training],
      env,
      sbatch: components,
      bare: true,
    });
    const url = await until(
      'the training',
      60_000,
      async () => /trains with 2 CPUs and (\S+)/.exec(await job.output())?.[1],
    );
    assert.equal((await other.output()).includes(url), false, url);
    await cluster.slurm('scancel', '--batch', '--signal=USR2', job.id);
    const { state, exit } = await cluster.untilEnded(job, 60_000);
    const output = await job.output();
    assert.deepEqual([state, exit], ['FAILED', '5:0'], output);
    assert.match(output, /asked [24]\d\d\n(?:.*\n)*?saved\n(?:.*\n)*.*stopping: SIGTERM/, output);
    await untilGone('SLURM_JOB_ID', job.id, 5000);
  },
);

test(
  'a retriever that cannot start ends the job at once with its own exit code',
  { skip: noCluster, timeout: 100_000 },
  async () => {
    await using job = await cluster.submit({
      script: 'rag_retriever_node',
      words: ['true'],
      env: {
        RAG_ENGINE: 'embedded',
        RAG_WORKING_DIR: join(cluster.folder, 'no-index'),
        RAG_SHARE_GROUP: 'no-such-group',
        RAG_START_SECONDS: '900',
      },
      sbatch: components,
      bare: true,
    });
    const { state, exit } = await cluster.untilEnded(job, 40_000);
    assert.deepEqual([state, exit], ['FAILED', '78:0'], await job.output());
    assert.doesNotMatch(await job.output(), /RAG_START_SECONDS is no setting/);
  },
);

for (const [when, moment] of [
  ['while the retriever starts', /: qwen3-embedding:8b on GPU/],
  ['before the supervisor is there', /^sourced$/m],
] as const)
  test(
    `a warning that comes ${when} is not lost: the training is not begun, and the job ends with 75`,
    { skip: noCluster, timeout: 100_000 },
    async () => {
      const setup = join(cluster.folder, 'slow-setup.sh');
      await writeFile(setup, 'echo sourced; [ -n "${SLURM_STEP_ID:-}" ] || sleep 2\n');
      await using job = await cluster.submit({
        script: 'rag_retriever_node',
        words: ['echo', 'it trains'],
        env: {
          RAG_WORKING_DIR: join(cluster.folder, 'early-index'),
          RAG_SETUP_SCRIPT: setup,
          FAKE_LOAD_MS: '30000',
        },
        sbatch: components,
        bare: true,
      });
      await until('the moment', 40_000, async () => (moment.test(await job.output()) ? true : undefined));
      await cluster.slurm('scancel', '--batch', '--signal=USR2', job.id);
      const { state, exit } = await cluster.untilEnded(job, 60_000);
      const output = await job.output();
      assert.deepEqual([state, exit], ['FAILED', '75:0'], output);
      assert.match(output, /The training is not started: the wall time nears/);
      assert.doesNotMatch(output, /it trains/);
      await untilGone('SLURM_JOB_ID', job.id, 5000);
    },
  );
