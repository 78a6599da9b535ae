import assert from 'node:assert/strict';
import { test } from 'node:test';
import { correct, ownVariables } from '../../src/slurm/own-variables.ts';
import { makeFakeTools } from './fake-tools.ts';

const inherited = {
  SLURM_JOB_ID: '42',
  SLURM_ARRAY_JOB_ID: '17',
  SLURM_ARRAY_TASK_ID: '7',
  SLURM_ARRAY_TASK_COUNT: '9',
  SLURM_RESTART_COUNT: '5',
  PATH: '/bin',
};

test('what a job inherited from the array task that submitted it is dropped, and a task keeps its own', () => {
  assert.deepEqual(correct(inherited, 'JobId=42 JobName=x Restarts=0 RunTime=00:00:01\n'), {
    SLURM_JOB_ID: '42',
    SLURM_RESTART_COUNT: '0',
    PATH: '/bin',
  });
  const task = 'JobId=42 ArrayJobId=17 ArrayTaskId=7 Restarts=2 RunTime=00:00:01';
  assert.deepEqual(correct(inherited, task), { ...inherited, SLURM_RESTART_COUNT: '2' });
  const others =
    'JobId=41 ArrayJobId=42 ArrayTaskId=1 Restarts=3\nJobId=42 ArrayJobId=42 ArrayTaskId=2 Restarts=1';
  assert.equal(
    correct(inherited, others)['SLURM_RESTART_COUNT'],
    '1',
    'the last task has the id of its array',
  );
  assert.equal(correct(inherited, 'Invalid job id'), inherited);
});

test('Slurm is asked only where something may be of another job, and its silence changes nothing', async () => {
  await using tools = await makeFakeTools({ scontrol: 'echo "JobId=42 Restarts=0"' });
  const { env, ...options } = tools.options;
  const path = env['PATH'];
  const of = (more: Readonly<Record<string, string>>) => ownVariables({ ...more, PATH: path }, options);
  assert.equal((await of(inherited))['SLURM_ARRAY_JOB_ID'], undefined);
  assert.equal((await of({ SLURM_ARRAY_JOB_ID: '17' }))['SLURM_ARRAY_JOB_ID'], '17', 'outside of a job');
  await using silent = await makeFakeTools({ scontrol: 'exit 1' });
  const said = await ownVariables(
    { ...silent.options.env, ...inherited, PATH: silent.options.env['PATH'] },
    options,
  );
  assert.equal(said['SLURM_ARRAY_JOB_ID'], '17');
});
