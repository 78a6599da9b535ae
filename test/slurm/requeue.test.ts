import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { writeComment } from '../../src/slurm/comment.ts';
import { readKillWait } from '../../src/slurm/killwait.ts';
import { requeue, type RequeueOptions } from '../../src/slurm/requeue.ts';
import { type FakeTools, makeFakeTools, slurmJob } from './fake-tools.ts';

const recording = 'printf "%s\\n" "$@" > "${0%/*}/called"';
const stateThen = (state: string): string =>
  `[ "$1" = show ] && echo "JobId=12 JobState=${state}" && exit\n${recording}`;

const warned = ({ options }: Pick<FakeTools, 'options'>): RequeueOptions => ({
  ...options,
  toldToEnd: false,
});

test('an array task requeues itself and not its array', async () => {
  await using tools = await makeFakeTools({ scontrol: recording });
  const job = { ...slurmJob, id: '40', arrayJob: '40', task: '7' };
  assert.deepEqual(await requeue(job, 5, warned(tools)), { outcome: 'requeued' });
  assert.equal(await readFile(join(tools.folder, 'called'), 'utf8'), 'requeue\n40_7\n');
});

test('a scontrol that is ended by the requeue it asked for has asked for it', async () => {
  const outcomeOf = async (restarts: number): Promise<string> => {
    const shows = `[ "$1" = show ] && echo "JobId=12 JobState=COMPLETING Restarts=${restarts} RunTime=00:00:05 TimeLimit=00:00:05"`;
    await using tools = await makeFakeTools({ scontrol: `${shows} && exit\nkill -TERM $$` });
    return (await requeue(slurmJob, 5, warned(tools))).outcome;
  };
  assert.equal(await outcomeOf(slurmJob.restart + 1), 'requeued');
  assert.equal(await outcomeOf(slurmJob.restart), 'unknown');
});

test('a refusal is believed although scontrol exits with 0', async () => {
  const complaint = 'Requested operation is presently disabled for job 12';
  await using tools = await makeFakeTools({ scontrol: `echo "${complaint}" >&2` });
  assert.deepEqual(await requeue(slurmJob, 5, warned(tools)), { outcome: 'refused', reason: complaint });
});

test('a job that was requeued often enough is not requeued again', async () => {
  await using tools = await makeFakeTools({ scontrol: recording });
  const answer = await requeue({ ...slurmJob, restart: 5 }, 5, warned(tools));
  assert.equal(answer.outcome, 'refused');
  await assert.rejects(readFile(join(tools.folder, 'called')));
});

test('a job that was cancelled while it drained stays cancelled, one that ran into its limit goes on', async () => {
  const [early, late] = ['RunTime=00:00:05 TimeLimit=00:01:00', 'RunTime=1-00:00:04 TimeLimit=1-00:00:00'];
  const outcomeOf = async (shown: string, toldToEnd: boolean): Promise<string> => {
    await using tools = await makeFakeTools({ scontrol: stateThen(shown) });
    return (await requeue(slurmJob, 5, { ...tools.options, toldToEnd })).outcome;
  };
  assert.equal(await outcomeOf(`COMPLETING ${early}`, true), 'refused');
  assert.equal(await outcomeOf(`COMPLETING ${early}`, false), 'refused');
  assert.equal(await outcomeOf(`COMPLETING ${late}`, true), 'requeued');
  assert.equal(await outcomeOf('COMPLETING RunTime=00:09:00 TimeLimit=UNLIMITED', true), 'refused');
  assert.equal(await outcomeOf(`RUNNING ${early}`, false), 'requeued');
  assert.equal(
    await outcomeOf(`RUNNING ${early}`, true),
    'refused',
    'the supervisor alone was told, as by stop',
  );
});

test('who was told to end and cannot ask why is not requeued', async () => {
  await using tools = await makeFakeTools({ scontrol: `[ "$1" = show ] && exit 1\n${recording}` });
  assert.equal((await requeue(slurmJob, 5, { ...tools.options, toldToEnd: true })).outcome, 'unknown');
  await assert.rejects(readFile(join(tools.folder, 'called')));
});

test('without scontrol it is unknown whether the job was requeued', async () => {
  await using tools = await makeFakeTools({});
  const answer = await requeue(slurmJob, 5, warned(tools));
  assert.deepEqual(answer, { outcome: 'unknown', reason: 'scontrol is not on PATH' });
});

test('the comment is one argument, spaces and all', async () => {
  await using tools = await makeFakeTools({ scontrol: recording });
  await writeComment(slurmJob, 'rag: ready http://node1:4000', tools.options);
  const called = await readFile(join(tools.folder, 'called'), 'utf8');
  assert.equal(called, 'update\nJobId=12\nComment=rag: ready http://node1:4000\n');
});

test("the site's KillWait is read, and Slurm's default stands where scontrol is silent", async () => {
  await using tools = await makeFakeTools({ scontrol: 'echo "KillWait                = 90 sec"' });
  assert.equal(await readKillWait(tools.options), 90);
  await using silent = await makeFakeTools({ scontrol: 'exit 1' });
  assert.equal(await readKillWait(silent.options), 30);
});
