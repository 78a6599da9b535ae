import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readTeam } from '../../src/slurm/team.ts';

const array = (task: number): Record<string, string> => ({
  SLURM_CLUSTER_NAME: 'helix',
  SLURM_JOB_ID: String(900 + task),
  SLURM_ARRAY_JOB_ID: '900',
  SLURM_ARRAY_TASK_ID: String(task),
  SLURM_ARRAY_TASK_COUNT: '4',
  SLURM_ARRAY_TASK_MIN: '2',
  SLURM_ARRAY_TASK_STEP: '2',
});

test('tasks of an array are one team, each with a place of its own', () => {
  const teams = [2, 4, 6, 8].map((task) => readTeam(array(task)));
  assert.deepEqual(new Set(teams.map((team) => team?.name)), new Set(['helix-900']));
  assert.deepEqual(
    teams.map((team) => [team?.rank, team?.size]),
    [0, 1, 2, 3].map((rank) => [rank, 4]),
  );
  assert.equal(new Set(teams.map((team) => team?.me)).size, 4);
});

test('a requeued task is of the same team under another name', () => {
  const [before, after] = [array(2), { ...array(2), SLURM_RESTART_COUNT: '1' }].map(readTeam);
  assert.equal(after?.name, before?.name);
  assert.notEqual(after?.me, before?.me);
});

test('tasks of a step are a team; the next step of the job is another', () => {
  const step = (id: string, rank: string): Record<string, string> => ({
    SLURM_JOB_ID: '12',
    SLURM_STEP_ID: id,
    SLURM_STEP_NUM_TASKS: '2',
    SLURM_PROCID: rank,
  });
  assert.deepEqual(
    [step('0', '0'), step('0', '1'), step('1', '0')].map((env) => readTeam(env)),
    [
      { name: 'cluster-12-0', me: '0.0.0', rank: 0, size: 2 },
      { name: 'cluster-12-0', me: '0.1.0', rank: 1, size: 2 },
      { name: 'cluster-12-1', me: '0.0.0', rank: 0, size: 2 },
    ],
  );
});

test('who was started alone is in no team', () => {
  assert.equal(readTeam({}), undefined);
  assert.equal(readTeam({ SLURM_JOB_ID: '12', SLURM_JOB_NUM_NODES: '2', SLURM_PROCID: '0' }), undefined);
  assert.equal(readTeam({ ...array(2), SLURM_ARRAY_TASK_COUNT: '1' }), undefined);
});
