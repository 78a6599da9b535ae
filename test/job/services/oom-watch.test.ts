import assert from 'node:assert/strict';
import { mkdir, mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { countingFiles, readOomKills } from '../../../src/machine/oom-kills.ts';
import { openOomWatch } from '../../../src/job/services/oom-watch.ts';
import type { Log } from '../../../src/observe/log.ts';
import type { ChildStatus } from '../../../src/supervise/spec.ts';

test('the count of the job is read, of either version of cgroups', async () => {
  await using dir = await mkdtempDisposable(join(tmpdir(), 'rag-oom-'));
  const own = join(dir.path, 'own');
  await writeFile(own, '0::/system.slice/slurmstepd.scope/job_7/step_batch/user/task_0\n');
  const job = join(dir.path, 'system.slice/slurmstepd.scope/job_7');
  await mkdir(job, { recursive: true });
  await writeFile(join(job, 'memory.events'), 'low 0\nhigh 0\nmax 12\noom 3\noom_kill 2\n');
  assert.equal(await readOomKills(dir.path, own), 2);
  assert.deepEqual(countingFiles('4:memory:/slurm/uid_1/job_9/step_0\n', '/c'), [
    '/c/memory/slurm/uid_1/job_9/memory.oom_control',
  ]);
  assert.equal(await readOomKills(dir.path, join(dir.path, 'none')), null);
});

test('only a service that the kernel killed for memory is told of, once for each kill', async () => {
  const lines: string[] = [];
  const log = ((_level: string, line: string) => lines.push(line)) as unknown as Log;
  let kills = 5;
  const watch = await openOomWatch(log, () => Promise.resolve(kills));
  const restarting = (reason: string): ChildStatus => ({
    id: 'ollama-embed',
    restarts: 1,
    reason,
    current: { state: 'restarting', at: 0, reason },
  });
  await watch.look(restarting('was ended by SIGKILL'));
  kills = 6;
  await watch.look(restarting('exited with code 1'));
  assert.deepEqual(lines, []);
  await watch.look(restarting('exited with code 137 (SIGKILL)'));
  await watch.look(restarting('was ended by SIGKILL'));
  assert.equal(lines.length, 1);
  assert.match(lines[0] ?? '', /^ollama-embed was killed because the job was out of memory/);
});
