import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { chmodSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
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
  assert.equal(again.code, 0, again.stderr);
  assert.match(again.stdout, /had stopped already, ended with 0, done/);
  const unknown = await runProgram(['stop', '999'], { env });
  assert.equal(unknown.code, 65);
});

test('of many who stop it at once, one does, and all see it drained', async () => {
  const shared = join(folder, 'many');
  const env = {
    RAG_ENGINE: 'embedded',
    RAG_SHARED_ROOT: shared,
    LOG_ROOT: join(folder, 'logs'),
    STOP_TEST: shared,
  };
  const begun = join(folder, 'begun');
  // It takes its time to end, in which the service waits for it.
  const workload = `trap 'sleep 3; exit 0' TERM; touch ${begun}; while :; do sleep 0.1; done`;
  const service = startProgram(['run', '--', 'sh', '-c', workload], { env });
  await until('the workload', 60_000, () => (existsSync(begun) ? true : undefined));
  const stop = startProgram(['stop'], { env });
  const draining = async (): Promise<true | undefined> =>
    (await runProgram(['status', '--json'], { env })).stdout.includes('"phase":"draining"')
      ? true
      : undefined;
  const [first, ...others] = await Promise.all([
    stop.ended,
    runProgram(['stop'], { env }),
    until('the drain', 20_000, draining).then(() => runProgram(['stop'], { env })),
  ]);
  for (const { code, stdout, stderr } of [first, ...others]) {
    assert.equal(code, 0, stderr);
    assert.match(stdout, /ended with 0, the workload is done/);
  }
  const sent = [first, ...others].filter(({ stderr }) => stderr.includes('TERM was sent'));
  assert.equal(sent.length, 1);
  const { code, stderr } = await service.ended;
  assert.equal(code, 0, `a second TERM would have been 143: ${stderr}`);
  assert.deepEqual(
    readdirSync(join(shared, 'runtime/supervisors')).filter((name) => name.endsWith('.stop')),
    [],
  );
  await untilGone('STOP_TEST', shared, 2000);
});

test('a service in a folder where everybody may write is told that nobody will trust its address', async () => {
  const shared = join(folder, 'public');
  const runtime = join(shared, 'runtime');
  mkdirSync(runtime, { recursive: true });
  chmodSync(runtime, 0o777);
  const env = { RAG_ENGINE: 'embedded', RAG_SHARED_ROOT: shared, LOG_ROOT: join(folder, 'logs') };
  const service = startProgram(['run', '--mode', 'serve'], { env });
  const published = join(runtime, 'ollama_service.json');
  await until('the endpoint file', 30_000, () => (existsSync(published) ? true : undefined));
  const asked = await runProgram(['status', '--env'], { env });
  assert.match(asked.stderr, /everybody may write in/);
  process.kill(service.pid, 'SIGTERM');
  const { code, stderr } = await service.ended;
  assert.equal(code, 0, stderr);
  assert.match(
    stderr,
    /no client will trust what is published: everybody may write in .*; mend: chmod -R o-w /,
  );
});

test('who is told to stop before anything has begun ends as any other', async () => {
  const silent = createServer().listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const { port } = silent.address() as AddressInfo;
  const env = { OLLAMA_HOST: `127.0.0.1:${port}`, RAG_SHARED_ROOT: join(folder, 'early') };
  const program = startProgram(['run', '--mode', 'serve'], { env });
  const [asking] = (await once(silent, 'connection')) as [Socket];
  process.kill(program.pid, 'SIGTERM');
  const { code, stderr } = await program.ended;
  asking.destroy();
  assert.equal(code, 75, stderr);
  assert.match(
    stderr,
    /starting {2}ended with 75: stopped before it began \(SIGTERM\), the same command goes on\n$/,
  );
  silent.close();
  await once(silent, 'close');
});
