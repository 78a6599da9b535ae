import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { test } from 'node:test';
import { load } from '../../../src/config/load.ts';
import { pinForWorkload, type PinInput } from '../../../src/job/index/pinned.ts';
import { readJob } from '../../../src/slurm/job.ts';
import { listTags, tagFolder } from '../../../src/store/versions/tagged.ts';
import { openForkedStore, scratchFolder } from '../../store/forked-host.ts';
import { encoder, rowsOf } from '../../store/samples.ts';

const { signal } = new AbortController();
const names = async (root: string): Promise<string[]> => (await listTags(root)).map(({ name }) => name);

const inputFor = (root: string, more: Readonly<Record<string, string>> = {}): PinInput => ({
  settings: load({ flags: { RAG_WORKING_DIR: root, ...more }, environment: {} }).settings,
  environment: process.env,
  intent: { kind: 'workload', inputs: [] },
  job: { ...readJob({}), node: 'n1', id: '17' },
});

test('a run with a workload gets a version of its own, which goes with it; those of killed runs go with the next', async () => {
  await using scratch = await scratchFolder();
  const root = join(scratch.path, 'index');
  await using host = await openForkedStore(root);
  await host.store.beginWriting(encoder, 'one');
  await host.store.append(rowsOf({ key: 'a', texts: ['alpha'] }));
  await host.store.tag('paper');
  await host.store.tag('run-16.n1.9');
  const mine = `run-17.n1.${process.pid}`;
  {
    await using pinned = await pinForWorkload(inputFor(root), signal);
    assert.deepEqual([pinned.settings.RAG_WORKING_DIR, pinned.warnings], [tagFolder(root, mine), []]);
    assert.deepEqual(await names(root), ['paper', 'run-16.n1.9', mine]);
    const owner = JSON.parse(readFileSync(join(tagFolder(root, mine), 'owner.json'), 'utf8')) as object;
    const killed = { ...owner, pid: spawnSync(process.execPath, ['-e', '']).pid };
    writeFileSync(join(tagFolder(root, 'run-16.n1.9'), 'owner.json'), JSON.stringify(killed));
  }
  assert.deepEqual(await names(root), ['paper', 'run-16.n1.9']);
  await using again = await pinForWorkload(inputFor(root), signal);
  assert.deepEqual(await names(root), ['paper', mine]);
  assert.notEqual(again.settings.RAG_WORKING_DIR, root);
});

test('a run without a workload, with a version already, or without an index is left as it is', async () => {
  await using scratch = await scratchFolder();
  const input = inputFor(join(scratch.path, 'nothing'));
  const others: readonly PinInput[] = [
    input,
    { ...input, intent: { kind: 'serve', inputs: [] } },
    { ...input, intent: { kind: 'workload', inputs: ['papers'] } },
    inputFor(scratch.path, { RAG_INDEX_VERSION: 'paper' }),
  ];
  for (const each of others) {
    await using pinned = await pinForWorkload(each, signal);
    assert.deepEqual([pinned.settings, pinned.warnings], [each.settings, []]);
  }
});

test('an index that cannot be pinned is said, and is no reason not to begin', async () => {
  await using scratch = await scratchFolder();
  const root = join(scratch.path, 'index');
  await using host = await openForkedStore(root);
  await host.store.beginWriting(encoder, 'one');
  await using pinned = await pinForWorkload(inputFor(root), signal);
  assert.equal(pinned.settings.RAG_WORKING_DIR, root);
  assert.match(pinned.warnings[0] ?? '', /^The index is not pinned, .*nothing is in it/);
});
