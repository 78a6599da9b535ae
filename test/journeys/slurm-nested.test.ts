/** A job that a workload submits: on the same node, with the variables and the marks of the one that submitted it. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { noCluster, startCluster } from './cluster.ts';
import { checkout, until } from './program.ts';

test(
  'a job that a task of an array submits outlives it, and knows itself by its own name',
  { skip: noCluster, timeout: 150_000 },
  async () => {
    await using cluster = await startCluster();
    const at = (name: string): string => join(cluster.folder, name);
    const asked = `${process.execPath} ${join(checkout, 'dist/supervisor.js')} run --mode ingest --input-file ${join(checkout, 'README.md')}`;
    const inner = `env >${at('begun.tmp')} && mv ${at('begun.tmp')} ${at('begun')}; sleep 3; RAG_ENGINE=embedded ${asked}; touch ${at('over')}`;
    const submits = `sbatch --parsable --array= --gres=none --cpus-per-task=1 --time=5 --output=${at('inner.txt')} --wrap '${inner}' >${at('id')}`;
    await using outer = await cluster.submit({
      script: 'rag_workload',
      words: ['--', 'sh', '-c', `${submits} && until [ -e ${at('begun')} ]; do sleep 0.1; done`],
      env: { RAG_ENGINE: 'embedded' },
      sbatch: ['--gres=gpu:2', '--cpus-per-task=1', '--array=7'],
    });
    const begun = until('the inner job', 60_000, () => (existsSync(at('begun')) ? true : undefined));
    await begun.catch(async (error: unknown) => assert.fail(`${String(error)}\n${await outer.output()}`));
    assert.match(await readFile(at('begun'), 'utf8'), /^SLURM_ARRAY_TASK_ID=7$/m, 'sbatch hands it on');
    assert.match(await readFile(at('begun'), 'utf8'), /^RAG_SUPERVISOR_ID=/m);
    const id = (await readFile(at('id'), 'utf8')).trim();
    const { state } = await cluster.untilEnded({ id }, 60_000);
    const said = await readFile(at('inner.txt'), 'utf8');
    assert.deepEqual([state, existsSync(at('over'))], ['COMPLETED', true], said);
    assert.match(said, new RegExp(`job ${id} on `));
  },
);
