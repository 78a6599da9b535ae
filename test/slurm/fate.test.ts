import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fateText, parseCounted, parseShown, readFate, withoutSupervisorText } from '../../src/slurm/fate.ts';
import { makeFakeTools } from './fake-tools.ts';

test('the controller is asked first, the accounting where it has forgotten the job', async () => {
  await using both = await makeFakeTools({
    scontrol: 'echo "JobId=7 JobName=x JobState=OUT_OF_MEMORY Reason=OutOfMemory ExitCode=0:125"',
    sacct: 'exit 1',
  });
  assert.deepEqual(await readFate('7', both.options), { state: 'OUT_OF_MEMORY', exit: '0:125' });
  await using late = await makeFakeTools({
    scontrol: 'echo "slurm_load_jobs error: Invalid job id specified" >&2; exit 1',
    sacct: 'echo "REQUEUED|0:0"; echo "CANCELLED by 1000|0:15"',
  });
  assert.deepEqual(await readFate('7', late.options), { state: 'CANCELLED', exit: '0:15' });
  await using none = await makeFakeTools({});
  assert.equal(await readFate('7', none.options), undefined);
});

test('a fate is told with what mends it', () => {
  assert.match(fateText({ state: 'OUT_OF_MEMORY', exit: '0:125' }), /OUT_OF_MEMORY.*--mem/);
  assert.equal(fateText({ state: 'COMPLETED', exit: '0:0' }), 'Slurm says COMPLETED (0:0)');
  assert.equal(parseShown('no such job'), undefined);
  assert.equal(parseCounted('\n'), undefined);
});

test('of a job without a supervisor it is told what it waits for, or how it ended and where its output is', () => {
  const pending = parseShown(
    'JobId=7 JobState=PENDING Reason=PartitionTimeLimit ExitCode=0:0 StdOut=/home/me/x-7.out',
  );
  assert.deepEqual(pending, {
    state: 'PENDING',
    exit: '0:0',
    reason: 'PartitionTimeLimit',
    output: '/home/me/x-7.out',
  });
  assert.ok(pending !== undefined);
  assert.match(
    withoutSupervisorText('7', pending),
    /^job 7 has not begun: Slurm says PENDING \(PartitionTimeLimit\): /,
  );
  const failed = parseShown(
    'JobId=7 JobState=FAILED Reason=NonZeroExitCode ExitCode=65:0 StdOut=/home/me/x-7.out',
  );
  assert.ok(failed !== undefined);
  assert.match(
    withoutSupervisorText('7', failed),
    /ended without a supervisor: .*FAILED \(65:0\).*x-7\.out$/,
  );
  const running = { state: 'RUNNING', exit: '0:0' };
  assert.equal(withoutSupervisorText('7', running), 'job 7 has no supervisor yet: Slurm says RUNNING');
});
