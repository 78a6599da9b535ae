/** The command line on a node from which the supervisor's port is not reached: it goes into the job. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { type Cluster, noCluster, startCluster, type SubmittedJob, untilPhase } from './cluster.ts';
import { checkout, type Ended, until } from './program.ts';

/**
 * As on a login node: another boot, so that a loopback address of the job's node means nothing, and a folder on a disk of its
 * own.
 */
async function login(cluster: Cluster, job: SubmittedJob) {
  const folder = join(cluster.folder, 'login');
  await mkdir(join(folder, 'local'), { recursive: true });
  await writeFile(join(folder, 'boot'), '00000000-0000-4000-8000-000000000000\n');
  await writeFile(join(folder, 'shared.md'), '# Shared\n\nThe orchard is on the shared disk.\n');
  const inside = [
    `/bin/mount --bind ${folder}/boot /proc/sys/kernel/random/boot_id`,
    `/bin/mount -t tmpfs tmpfs ${folder}/local`,
    `printf '# Local\\n\\nThe quarry is on the local disk.\\n' > ${folder}/local/local.md`,
    'exec "$0" "$@"',
  ];
  const env = {
    PATH: `${join(process.execPath, '..')}:${process.env['PATH']}:/usr/sbin`,
    HOME: process.env['HOME'],
    SLURM_CONF: join(cluster.folder, 'slurm.conf'),
    RAG_RUNTIME_STATE: job.runtime,
    SLURM_JOB_ID: '999999', // of another job, in which the client runs
  };
  return async (words: readonly string[], more: { env?: object } = {}): Promise<Ended> => {
    const program = [process.execPath, join(checkout, 'dist/supervisor.js'), ...words];
    const child = spawn('/usr/bin/unshare', ['--mount', '/bin/sh', '-c', inside.join(' && '), ...program], {
      cwd: folder,
      env: { ...env, ...more.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const [stdout, stderr, [code, signal]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'exit'),
    ]);
    return { code, signal, stdout, stderr };
  };
}

test(
  'from a node that does not reach its port, documents are sent and questions asked through a step of the job',
  { skip: noCluster, timeout: 240_000 },
  async () => {
    await using cluster = await startCluster({ nodes: 2 });
    await using job = await cluster.submit({
      words: ['--mode', 'serve'],
      sbatch: ['--gres=gpu:1'],
      env: { RAG_ENGINE: 'embedded' },
    });
    await untilPhase(job, 'answering');
    const run = await login(cluster, job);

    const shared = await run(['ingest', 'shared.md', '--json']);
    assert.equal(shared.code, 0, shared.stderr);
    assert.match(shared.stderr, /is not reached from here: going into its job\n.*ingests it/);
    const local = await run(['ingest', 'local', '--json']);
    assert.equal(local.code, 0, local.stderr);
    assert.match(local.stderr, /does not see these files/);
    const { documents } = JSON.parse(local.stdout) as { documents: object };
    assert.deepEqual(documents, { processed: 1, unchanged: 0, failed: 0, needs_ocr: 0 });

    const hits = await run(['retrieve', 'quarry', '--topk', '1']);
    assert.match(hits.stdout, /local\.md \(Local\)/, hits.stderr);
    const questions = Array.from({ length: 30 }, (_, at) =>
      JSON.stringify({ id: `q${at}`, query: 'Where is the orchard?' }),
    );
    await writeFile(join(cluster.folder, 'login/q.jsonl'), questions.join('\n'));
    const batch = await run(['query', '--queries', 'q.jsonl', '--answers', 'a.jsonl', '--json']);
    assert.equal(batch.code, 0, batch.stderr);
    assert.deepEqual((JSON.parse(batch.stdout) as { questions: object }).questions, {
      answered: 30,
      unchanged: 0,
      failed: 0,
    });
    const removed = await run(['index', 'remove', 'shared.md', '--yes', '--json']);
    assert.deepEqual(JSON.parse(removed.stdout), { removed: 1, documents: ['shared.md'] });

    const steps = await until('the end of all steps', 20_000, async () => {
      const shown = await cluster.slurm('squeue', '-s', '-h', '-o', '%i');
      return shown
        .split('\n')
        .filter((step) => !/batch|extern/.test(step))
        .join('') === ''
        ? shown
        : undefined;
    });
    assert.match(steps, new RegExp(job.id));

    const alone = await run(['retrieve', 'quarry'], {
      env: { PATH: `${join(process.execPath, '..')}:/usr/sbin:/sbin` },
    });
    assert.equal(alone.code, 69, alone.stderr);
    assert.match(alone.stderr, /srun is not on PATH here/);
    assert.match(alone.stderr, /RAG_BIND=node .* --here/);

    // Without a word: what it has published stays.
    const published = await readFile(join(job.runtime, 'ollama_service.json'), 'utf8');
    process.kill((JSON.parse(published) as { pid: number }).pid, 'SIGKILL');
    await cluster.untilEnded(job, 30_000);
    const over = await run(['index', 'remove', 'shared.md']);
    assert.match(over.stderr, /working in this process: job \d+ on \S+ is over/);
  },
);
