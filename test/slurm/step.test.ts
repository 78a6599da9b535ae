import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, test } from 'node:test';

const folder = mkdtempSync(join(tmpdir(), 'rag-step-'));
after(() => rmSync(folder, { recursive: true }));

const module = join(import.meta.dirname, '../../src/slurm/step.ts');
/** Says what it sees; ends by itself some looks after its parent. */
const program = (kind: string): string => `
  const { watchStep } = await import(${JSON.stringify(module)});
  const parent = process.ppid;
  using step = await watchStep({ kind: '${kind}' }, 20);
  step.gone.addEventListener('abort', () => console.log(step.gone.reason.signal, step.gone.reason.code), { once: true });
  console.log('up');
  while (process.ppid === parent) await new Promise((resolve) => setTimeout(resolve, 20));
  await new Promise((resolve) => setTimeout(resolve, 200));
  console.log('over');`;

/** What a job of this kind says when its parent, which goes by this name, is killed. */
async function whenKilled(parentName: string, kind: string): Promise<string[]> {
  const shell = join(folder, parentName);
  symlinkSync('/bin/sh', shell);
  const parent = spawn(
    shell,
    ['-c', '"$0" --input-type=module -e "$1"; :', process.execPath, program(kind)],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const exited = once(parent, 'exit');
  const said: string[] = [];
  for await (const line of createInterface({ input: parent.stdout })) {
    if (line === 'up') parent.kill('SIGKILL');
    else said.push(line);
  }
  await exited;
  rmSync(shell);
  return said;
}

test('a job whose slurmstepd is killed is told', async () => {
  assert.deepEqual(await whenKilled('slurmstepd', 'slurm'), ['slurmstepd is gone aborted', 'over']);
});

test('a shell that goes is no matter, nor is anything outside a job', async () => {
  assert.deepEqual(await whenKilled('bash', 'slurm'), ['over']);
  assert.deepEqual(await whenKilled('slurmstepd', 'local'), ['over']);
});
