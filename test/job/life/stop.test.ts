import assert from 'node:assert/strict';
import { mkdtempDisposable, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeOwner } from '../../../src/disk/owner.ts';
import { askToStop, untilStopped } from '../../../src/job/life/stop.ts';
import { openStateFile } from '../../../src/services/state-file.ts';
import { readStep } from '../../../src/slurm/job.ts';
import { makeFakeTools, slurmJob } from '../../slurm/fake-tools.ts';

const elsewhere = { ...makeOwner(), place: 'another node' };
const record = (state: object) => ({
  name: '12.node1',
  presence: 'running' as const,
  ageMs: 0,
  uid: process.getuid?.() ?? 0,
  state: { job: '12', node: 'node1', owner: elsewhere, ...state },
});

test('on another node the batch process is signalled where it is the supervisor, else its step', async () => {
  await using tools = await makeFakeTools({ scancel: 'printf "%s " "$@" > "${0%/*}/called"' });
  const calledFor = async (state: object): Promise<string> => {
    await askToStop(record(state), tools.options);
    return await readFile(join(tools.folder, 'called'), 'utf8');
  };
  assert.equal(await calledFor({}), '--batch --signal=TERM 12 ', 'a state file of an older version');
  assert.equal(await calledFor({ step: null }), '--batch --signal=TERM 12 ');
  assert.equal(await calledFor({ step: '12.3' }), '--signal=TERM 12.3 ');
  assert.match(await askToStop(record({ step: '12.3' }), tools.options), /to all of 12\.3/);
});

test('a task of a step is known by its number, and the batch script by none', () => {
  assert.equal(readStep({}, slurmJob), null);
  assert.equal(readStep({ SLURM_STEP_ID: '4294967291' }, slurmJob), null);
  assert.equal(readStep({ SLURM_STEP_ID: '0' }, slurmJob), '12.0');
  assert.equal(readStep({ SLURM_STEP_ID: '0' }, { ...slurmJob, arrayJob: '40', task: '7' }), '40_7.0');
  assert.equal(readStep({ SLURM_STEP_ID: '0', SLURM_HET_SIZE: '2' }, slurmJob), '12');
  assert.equal(readStep({ SLURM_STEP_ID: '0' }, { ...slurmJob, kind: 'local' }), null);
});

test('the wait for an end has one itself, and says why it was left', async () => {
  await using dir = await mkdtempDisposable(join(tmpdir(), 'rag-stop-'));
  await using file = await openStateFile({ path: join(dir.path, '12.node1.json'), gapMs: 0 });
  file.write({ phase: 'answering' });
  const never = new AbortController();
  await assert.rejects(untilStopped(dir.path, record({}), { signal: never.signal, boundMs: 0 }), {
    message: /runs still after 0 s/,
    hint: /scancel 12$/,
  });
  never.abort({ signal: 'SIGINT' });
  await assert.rejects(untilStopped(dir.path, record({}), { signal: never.signal, boundMs: 60_000 }), {
    message: /the end of 12\.node1: SIGINT; it goes on stopping/,
  });
});

test('a state file of another user names no process of ours to end', async () => {
  const forged = { ...record({ owner: makeOwner() }), uid: 4_000_000 };
  const options = { env: {}, timeoutMs: 1000, signal: AbortSignal.timeout(5000) };
  await assert.rejects(askToStop(forged, options), {
    code: 'preflight',
    message: /its state file was written by another user/,
  });
});
