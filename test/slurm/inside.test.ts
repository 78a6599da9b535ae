import assert from 'node:assert/strict';
import { test } from 'node:test';
import { envForSrun, srunRefusalOf, srunInside } from '../../src/slurm/inside.ts';

test('a step in a job takes nothing from it, and is asked for by numbers that no older Slurm misreads', () => {
  const line = srunInside({ job: '12', node: 'n1', command: ['node', 'relay.js', '/tmp/rag.sock'] });
  assert.deepEqual(line.slice(0, 4), ['srun', '--overlap', '--jobid=12', '--nodelist=n1']);
  assert.deepEqual(line.slice(-3), ['node', 'relay.js', '/tmp/rag.sock']);
  assert.ok(line.includes('--gres=none') && line.some((word) => word.startsWith('--immediate=')));
});

test('srun hears nothing of the job that the client itself runs in', () => {
  const env = {
    PATH: '/bin',
    SLURM_CONF: '/etc/slurm.conf',
    SLURM_JOB_ID: '7',
    SRUN_CPUS_PER_TASK: '2',
    HOME: undefined,
  };
  assert.deepEqual(envForSrun(env), { PATH: '/bin', SLURM_CONF: '/etc/slurm.conf' });
});

/** As Slurm 22.05 said them. */
const said: Readonly<Record<string, ReturnType<typeof srunRefusalOf>>> = {
  'srun: error: Unable to confirm allocation for job 999999: Invalid job id specified\nsrun: Check SLURM_JOB_ID environment variable. Expired or invalid job 999999':
    'over',
  'srun: error: Slurm job 813490 has expired\nsrun: Check SLURM_JOB_ID environment variable. Expired or invalid job 813490':
    'over',
  'srun: error: Unable to confirm allocation for job 482471: Job is pending execution': 'not-yet',
  'srun: error: Unable to create step for job 482470: Access/permission denied': 'not-yours',
  'srun: error: Unable to create step for job 12: Requested nodes are busy': 'no-room',
  'srun: error: Unable to create step for job 482470: Requested node configuration is not available':
    'no-room',
  'spawn srun ENOENT': 'no-srun',
  'srun: error: something else': 'other',
};
for (const [text, refusal] of Object.entries(said))
  test(`"${text.split('\n')[0]?.slice(0, 70)}" is ${refusal}`, () =>
    assert.equal(srunRefusalOf(text), refusal));
