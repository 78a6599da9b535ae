import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jobKey, readJob } from '../../src/slurm/job.ts';

const host = { hostname: 'login1.cluster.example', pid: 77, cpus: 6 };
const slurm = { SLURM_JOB_ID: '12', SLURMD_NODENAME: 'node1' };

test('outside Slurm there is a local job of the same shape', () => {
  assert.deepEqual(readJob({}, host), {
    kind: 'local',
    id: 'local-77',
    arrayJob: null,
    task: null,
    restart: 0,
    node: 'login1',
    nodes: 1,
    cpus: 6,
    gpus: null,
  });
});

test('a batch job is read from its environment', () => {
  const env = { ...slurm, SLURM_RESTART_COUNT: '2', SLURM_JOB_NUM_NODES: '3', SLURM_CPUS_ON_NODE: '8' };
  const job = readJob({ ...env, CUDA_VISIBLE_DEVICES: '0,1,2,3' }, host);
  assert.deepEqual(job, {
    kind: 'slurm',
    id: '12',
    arrayJob: null,
    task: null,
    restart: 2,
    node: 'node1',
    nodes: 3,
    cpus: 8,
    gpus: ['0', '1', '2', '3'],
  });
});

const gpuLists: ReadonlyArray<readonly [string | undefined, readonly string[] | null]> = [
  [undefined, null],
  ['', []],
  ['NoDevFiles', []],
  ['-1', []],
  ['2,3', ['2', '3']],
  ['0,-1,1', ['0']],
  [' 1 , 0 ', ['1', '0']],
  ['GPU-5ebe9f43,GPU-ad33420c', ['GPU-5ebe9f43', 'GPU-ad33420c']],
  ['MIG-7d4c1b9f/1/0', ['MIG-7d4c1b9f/1/0']],
];
for (const [given, expected] of gpuLists) {
  test(`CUDA_VISIBLE_DEVICES ${JSON.stringify(given)} is read as ${JSON.stringify(expected)}`, () => {
    assert.deepEqual(readJob({ ...slurm, CUDA_VISIBLE_DEVICES: given }, host).gpus, expected);
  });
}

test('global GPU ids are not read: they differ from the visible ones where devices are constrained', () => {
  const env = { ...slurm, SLURM_JOB_GPUS: '2,3', CUDA_VISIBLE_DEVICES: '0,1' };
  assert.deepEqual(readJob(env, host).gpus, ['0', '1']);
});

const cpuVariables: ReadonlyArray<readonly [Readonly<Record<string, string>>, number]> = [
  [{ SLURM_CPUS_ON_NODE: '8', SLURM_CPUS_PER_TASK: '2' }, 8],
  [{ SLURM_JOB_CPUS_PER_NODE: '16(x2),4' }, 16],
  [{ SLURM_CPUS_PER_TASK: '3' }, 3],
  [{ SLURM_CPUS_ON_NODE: 'many' }, 6],
];
for (const [env, expected] of cpuVariables) {
  test(`${JSON.stringify(env)} means ${expected} CPUs`, () => {
    assert.equal(readJob({ ...slurm, ...env }, host).cpus, expected);
  });
}

test('the last task of an array is named by array and task, though its id is the array id', () => {
  const job = readJob({ SLURM_JOB_ID: '40', SLURM_ARRAY_JOB_ID: '40', SLURM_ARRAY_TASK_ID: '7' }, host);
  assert.equal(jobKey(job), '40_7');
  assert.equal(jobKey(readJob(slurm, host)), '12');
});
