import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { existsSync } from 'node:fs';
import { runProgram, startProgram, until, untilGone } from './program.ts';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rag-stop-'));
});
after(() => rm(folder, { recursive: true }));

test('a service is stopped by name, and stop tells how it ended', async () => {
  const env = {
    RAG_ENGINE: 'embedded',
    RAG_SHARED_ROOT: join(folder, 'shared'),
    LOG_ROOT: join(folder, 'logs'),
    STOP_TEST: folder,
  };
  const service = startProgram(['run', '--mode', 'serve'], { env });
  const published = join(folder, 'shared/runtime/ollama_service.json');
  await until('the endpoint file', 30_000, () => (existsSync(published) ? true : undefined));
  const stop = await runProgram(['stop', `local-${service.pid}`, '--json'], { env });
  assert.equal(stop.code, 0, stop.stderr);
  const { outcome } = JSON.parse(stop.stdout) as { outcome: { exit: number; reason: string } };
  assert.deepEqual(outcome, { exit: 0, reason: 'done (SIGTERM)' });
  assert.equal((await service.ended).code, 0);
  assert.equal(existsSync(published), false);
  await untilGone('STOP_TEST', folder, 2000);

  const again = await runProgram(['stop'], { env });
  assert.equal(again.code, 65);
  assert.match(again.stderr, /has ended already/);
  const unknown = await runProgram(['stop', '999'], { env });
  assert.equal(unknown.code, 65);
});
