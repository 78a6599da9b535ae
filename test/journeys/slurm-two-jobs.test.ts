/** The two-job way on two nodes: the service is cancelled while a worker ingests, and another one is submitted. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { noCluster, startCluster } from './cluster.ts';
import { runProgram, until, untilGone } from './program.ts';
import { writeDistinctCorpus } from './tasks.ts';

const documents = 60;

test(
  'a worker whose service is cancelled waits for the next one and goes on; when none comes it ends with 69 and says why',
  { skip: noCluster, timeout: 200_000 },
  async () => {
    await using cluster = await startCluster({ nodes: 2 });
    const corpus = join(cluster.folder, 'corpus');
    await writeDistinctCorpus(corpus, documents, 12);
    const runtime = join(cluster.folder, 'runtime');
    const env = {
      RAG_RUNTIME_STATE: runtime,
      RAG_SHARED_ROOT: join(cluster.folder, 'data'),
      RAG_CHUNK_TOKENS: '64',
      RAG_CHUNK_OVERLAP: '0',
      // Many seconds for all of it, so that a service can be cancelled in the middle on a busy machine, too.
      FAKE_EMBED_MS: '4',
    };
    const published = join(runtime, 'ollama_service.json');
    const serve = async () => {
      const job = await cluster.submit({
        script: 'ollama_service',
        words: [],
        sbatch: ['--gres=gpu:4', '--exclusive'],
        env: { ...env, RAG_SERVICES: 'embed' },
      });
      await until('the service', 60_000, () => (existsSync(published) ? true : undefined));
      return job;
    };
    const worker = { script: 'rag_worker', words: ['--mode', 'ingest', '--input-file', corpus], env };
    const processed = async (index: string): Promise<number> => {
      const { stdout } = await runProgram(['index', 'inspect', '--json'], {
        env: { RAG_WORKING_DIR: index },
      });
      return (JSON.parse(stdout || '{}') as { documents?: { processed: number } }).documents?.processed ?? 0;
    };

    const untilSome = (index: string, than: number) =>
      until('more documents', 60_000, async () => {
        const count = await processed(index);
        return count > than ? count : undefined;
      });
    const cancel = async (id: string): Promise<void> => {
      await cluster.slurm('scancel', id);
      await untilGone('SLURM_JOB_ID', id, 30_000);
    };

    await using service = await serve();
    await using first = await cluster.submit({ ...worker, env: { ...env, OLLAMA_START_TIMEOUT: '3' } });
    await untilSome(first.index, 0);
    await cancel(service.id);
    const stopped = await cluster.untilEnded(first, 60_000);
    const output = await first.output();
    assert.deepEqual([stopped.state, stopped.exit], ['FAILED', '69:0'], output);
    assert.match(output, /Cannot use a published service: there is no .*; waited 3 s for one/);
    assert.match(
      output,
      /remote-embed waits for a live service, \d s more at most: .*there is no .*\(this job ends in \d/,
    );
    assert.match(output, /hint: .*sbatch .*sbatch\/ollama_service\.sbatch/);
    assert.doesNotMatch(output, /\n +at /, 'no stack trace');
    const done = await processed(first.index);

    await using second = await serve();
    await using patient = await cluster.submit(worker);
    await untilSome(patient.index, done);
    const nodeOf = async (id: string) =>
      /BatchHost=(\S+)/.exec(await cluster.slurm('scontrol', 'show', 'job', id))?.[1];
    assert.notEqual(await nodeOf(second.id), await nodeOf(patient.id));
    await cancel(second.id);
    assert.equal(existsSync(published), false);
    await using third = await serve();
    const { state, exit } = await cluster.untilEnded(patient, 60_000);
    assert.deepEqual([state, exit], ['COMPLETED', '0:0'], await patient.output());
    assert.equal(await processed(patient.index), documents);
    assert.notEqual(third.id, second.id);
  },
);
