/** What a reader sees of a job: the file of its output, and `status --watch` from its submission to its end. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text as readText } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { type Cluster, noCluster, startCluster, untilPhase } from './cluster.ts';
import { smallChunks, writeCorpus } from './corpus.ts';
import { checkout, until } from './program.ts';

let cluster: Cluster;
before(async () => {
  if (noCluster === false) cluster = await startCluster();
});
after(() => cluster?.[Symbol.asyncDispose]());

test(
  "a job's output tells at a glance what happens: when, in which phase, until when, where, how it ended and what is next",
  { skip: noCluster, timeout: 150_000 },
  async () => {
    const corpus = join(cluster.folder, 'corpus');
    await writeCorpus(corpus, 90, 24);
    await using job = await cluster.submit({
      words: ['--mode', 'ingest', '--input-file', corpus],
      env: smallChunks,
    });
    await untilPhase(job, 'ingest');
    await cluster.slurm('scancel', '--batch', '--signal=USR2', job.id);
    const output = await until('the requeue', 60_000, async () => {
      const text = await job.output();
      return /requeued/.test(text) ? text : undefined;
    });
    const ours = output.split('\n').filter((line) => line !== '' && !line.startsWith('slurmstepd'));
    const lines = ours.filter((line) => !line.startsWith('warning: '));
    assert.deepEqual(
      lines.filter((line) => !/^\d\d:\d\d:\d\d (?:starting|ingest|answering|draining|ended) +\S/.test(line)),
      [],
      output,
    );
    const wanted = [
      new RegExp(`starting {2}job ${job.id} on \\S+, \\d{4}-\\d\\d-\\d\\d, 4 GPUs: ingests$`),
      /starting {2}index \S+, logs \S+$/,
      /ollama-embed: qwen3-embedding:8b on GPU 0,1,2,3$/,
      /the job ends at \d{4}-\d\d-\d\d \d\d:\d\d:\d\d, in \d+ (?:s|min)$/,
      /ingest {4}ingest begins: \S+corpus$/,
      /stopping: SIGUSR2 \(the warning before the time limit\)$/,
      /ended with 75: stopped with work left \(its wall time neared\), the same command goes on$/,
      /ended {5}requeued: the work that is left goes on/,
    ];
    for (const pattern of wanted)
      assert.ok(
        lines.some((line) => pattern.test(line)),
        `${pattern}\n${output}`,
      );
  },
);

test(
  'the watch of a job that is still pending waits for it, and ends with it',
  { skip: noCluster, timeout: 150_000 },
  async () => {
    const corpus = join(cluster.folder, 'small');
    await writeCorpus(corpus, 3, 2);
    await using job = await cluster.submit({
      words: ['--mode', 'ingest', '--input-file', corpus],
      sbatch: ['--hold', '--no-requeue'],
    });
    const env = {
      RAG_RUNTIME_STATE: job.runtime,
      SLURM_CONF: join(cluster.folder, 'slurm.conf'),
      PATH: `${process.env['PATH']}:/usr/sbin:/sbin`,
    };
    const door = join(checkout, 'dist/supervisor.js');
    const watch = spawn(process.execPath, [door, 'status', job.id, '--watch'], { env });
    const ended = once(watch, 'close');
    const shown = readText(watch.stdout);
    const [told] = (await once(watch.stderr.setEncoding('utf8'), 'data')) as [string];
    assert.equal(told, `waiting for job ${job.id}: Slurm says PENDING\n`);
    await cluster.slurm('scontrol', 'release', job.id);
    assert.deepEqual(await ended, [0, null]);
    assert.match(await shown, /^ended {8}with 0: done$/m);
  },
);
