import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { runProgram } from './program.ts';

interface Finding {
  readonly state: 'ok' | 'warning' | 'failure';
  readonly about: string;
  readonly what: string;
  readonly mend?: string;
}

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rag-doctor-'));
});
after(() => rm(folder, { recursive: true }));

async function findings(env: Readonly<Record<string, string>>, words: readonly string[] = []) {
  const shared = join(folder, 'shared');
  const base = { HOME: folder, RAG_SHARED_ROOT: shared, LOG_ROOT: join(folder, 'logs') };
  const { code, stdout, stderr } = await runProgram(['doctor', '--json', ...words], {
    env: { ...base, ...env },
  });
  assert.equal(stderr, '');
  const { findings } = JSON.parse(stdout) as { findings: readonly Finding[] };
  const of = (about: string): readonly Finding[] => findings.filter((each) => each.about === about);
  return { code, of };
}

test('a run that lacks its model, its folder and its setup script hears of all three and how to mend them', async () => {
  await writeFile(join(folder, 'file'), '');
  const { code, of } = await findings({
    RAG_ENGINE: 'ollama',
    OLLAMA_BIN: join(folder, 'no-ollama'),
    RAG_WORKING_DIR: join(folder, 'file/index'),
    RAG_SETUP_SCRIPT: join(folder, 'no-script.sh'),
  });
  assert.equal(code, 78);
  for (const about of ['setup script', 'RAG_WORKING_DIR', 'Ollama', 'plan']) {
    const failures = of(about).filter(({ state }) => state === 'failure');
    assert.ok(failures.length > 0, about);
    assert.ok(
      failures.every(({ mend = '' }) => mend !== ''),
      about,
    );
  }
  assert.deepEqual(await readdir(folder), ['file'], 'it leaves nothing behind');
});

test('the setup script is sourced as the job will source it, and what it finds is found', async () => {
  const bin = join(folder, 'bin');
  const models = join(folder, 'models');
  await mkdir(bin);
  await mkdir(join(models, 'manifests'), { recursive: true });
  await writeFile(join(bin, 'ollama'), '#!/bin/sh\necho ollama version is 0.21.3\n');
  await chmod(join(bin, 'ollama'), 0o755);
  const script = join(folder, 'setup.sh');
  // Unset variables and a command that fails, as in many such scripts.
  await writeFile(script, `echo "$NOT_SET"; false\nexport PATH="${bin}:$PATH" OLLAMA_MODELS="${models}"\n`);
  const { of } = await findings({ RAG_SETUP_SCRIPT: script, RAG_ENGINE: 'ollama', RAG_ALLOW_CPU: '1' });
  assert.deepEqual(
    of('setup script').map(({ state }) => state),
    ['ok'],
  );
  const [server, ...found] = of('Ollama');
  assert.equal(server?.what, `${join(bin, 'ollama')} 0.21.3`);
  assert.deepEqual(
    found.map(({ state, mend }) => [state, mend]),
    [
      ['failure', 'ollama pull qwen3-embedding:8b'],
      ['failure', 'ollama pull qwen3:235b'],
    ],
  );
});

test('settings that cannot be read are a finding, and the batch script is still looked at', async () => {
  const script = join(folder, 'job.sbatch');
  await writeFile(script, '#!/bin/bash\nif\n');
  const { code, of } = await findings({ RAG_TOPK: 'many' }, ['--sbatch', script]);
  assert.equal(code, 78);
  assert.match(of('settings')[0]?.what ?? '', /RAG_TOPK/);
  assert.equal(of('batch script')[0]?.state, 'failure');
});
