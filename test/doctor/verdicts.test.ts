import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judgeMemory } from '../../src/doctor/ollama.ts';
import { judgeFolder, kindOf, type FolderState } from '../../src/doctor/folders.ts';
import { judgeCards, judgeMasks } from '../../src/doctor/gpus.ts';
import { judgeAddressSpace, judgeProxy, readLimits } from '../../src/doctor/limits.ts';
import { judgeGlibc } from '../../src/doctor/program.ts';
import { readSourced } from '../../src/doctor/setup-script.ts';
import { judgeConfig } from '../../src/doctor/slurm.ts';

const sound: FolderState = {
  kind: 'nfs4',
  freeBytes: 1e12,
  freeInodes: null,
  lacks: [],
  clockMs: 20,
  isPublic: false,
};
const statesOf = (state: Partial<FolderState>): string[] =>
  judgeFolder('LOG_ROOT', '/logs', { ...sound, ...state }).map((finding) => finding.state);

test('a folder is judged by its room, its abilities, its clock and who may write there', () => {
  assert.deepEqual(statesOf({}), ['ok']);
  assert.deepEqual(statesOf({ freeBytes: 1e6 }), ['failure']);
  assert.deepEqual(statesOf({ freeBytes: 5e9 }), ['warning']);
  assert.deepEqual(statesOf({ freeInodes: 12 }), ['failure']);
  assert.deepEqual(statesOf({ lacks: ['hard links'] }), ['ok', 'failure']);
  assert.deepEqual(statesOf({ clockMs: -300_000 }), ['ok', 'warning']);
  assert.deepEqual(statesOf({ isPublic: true }), ['ok', 'warning']);
});

test('the file system of a path is that of the mount which covers most of it', () => {
  const mounts = [
    '/dev/sda1 / ext4 rw 0 0',
    'server:/home /home nfs4 rw 0 0',
    'server:/x /home/a\\040b lustre rw 0 0',
  ].join('\n');
  assert.equal(kindOf('/home/me/rag', mounts), 'nfs4');
  assert.equal(kindOf('/homestead', mounts), 'ext4');
  assert.equal(kindOf('/home/a b/rag', mounts), 'lustre');
});

test('a limit of address space under which no PDF can be read is a failure', () => {
  const table =
    'Limit                     Soft Limit           Hard Limit           Units\n' +
    'Max open files            1024                 524288               files\n' +
    'Max address space         8589934592           unlimited            bytes\n';
  const limits = readLimits(table);
  assert.deepEqual(limits, { addressSpace: 8_589_934_592, files: 1024 });
  assert.equal(judgeAddressSpace(limits.addressSpace).state, 'failure');
  assert.equal(judgeAddressSpace(readLimits('').addressSpace).state, 'ok');
});

test('a proxy that would swallow requests to loopback is told of, one that spares it is not', () => {
  assert.equal(judgeProxy({ http_proxy: 'http://proxy:3128', no_proxy: 'example.org' })[0]?.state, 'warning');
  assert.deepEqual(judgeProxy({ http_proxy: 'http://proxy:3128', NO_PROXY: 'localhost, 127.0.0.1' }), []);
  assert.deepEqual(judgeProxy({}), []);
});

test('cards are counted, and what the job has of them is said', () => {
  const listed =
    'GPU 0: NVIDIA A100 (UUID: GPU-a)\n  MIG 3g.40gb Device 0: (UUID: MIG-b)\nGPU 1: NVIDIA A100 (UUID: GPU-c)\n';
  assert.equal(judgeCards(listed, ['2', '3']).what, '2 here (NVIDIA A100); the job has 2,3');
  assert.equal(judgeCards(listed, []).state, 'failure');
  assert.equal(judgeCards(listed, null).state, 'warning');
  assert.equal(judgeMasks({ CUDA_VISIBLE_DEVICES: '0', ROCR_VISIBLE_DEVICES: '0' }).length, 1);
  assert.deepEqual(judgeMasks({ ROCR_VISIBLE_DEVICES: '0' }), []);
});

test('an old C library and a site that kills at once are said', () => {
  assert.deepEqual(
    ['2.17', '2.28', '2.36', '3.0', undefined].map((each) => judgeGlibc(each).state),
    ['failure', 'ok', 'ok', 'ok', 'failure'],
  );
  const config = (seconds: number): string =>
    `KillWait                = ${seconds} sec\nProctrackType           = proctrack/cgroup\nSLURM_VERSION           = 23.11.4\n`;
  assert.equal(judgeConfig(config(30)).what, '23.11.4, proctrack/cgroup, KillWait 30 s');
  assert.equal(judgeConfig(config(5)).state, 'warning');
});

test('what a setup script leaves in the environment is read, a script that ends the shell is a failure', () => {
  const { environment, findings } = readSourced(
    's.sh',
    { A: '1' },
    'noise\n--rag-environment--A=2\0B=x=y\nz\0',
  );
  assert.deepEqual(environment, { A: '2', B: 'x=y\nz' });
  assert.deepEqual(
    findings.map(({ state }) => state),
    ['ok'],
  );
  assert.equal(readSourced('s.sh', {}, 'bye\n').findings[0]?.state, 'failure');
  const bound = readSourced('s.sh', {}, '--rag-environment--OLLAMA_HOST=0.0.0.0\0');
  assert.deepEqual(
    bound.findings.map(({ state }) => state),
    ['ok', 'warning'],
  );
});

test('a model that does not fit is a failure, unless somebody has said that he knows better', () => {
  const need = { weights: 9, kv: 0, overhead: 1, total: 10 };
  const line = { instance: 'generate', model: 'm', gpus: ['0'], need, have: 5, gpus_wanted: 2 } as const;
  const stateOf = (fits: boolean, layouts: 'auto' | 'one' | 'two'): string =>
    judgeMemory({ ...line, fits }, { RAG_LAYOUTS: layouts }).state;
  assert.deepEqual(
    [stateOf(true, 'auto'), stateOf(false, 'auto'), stateOf(false, 'two'), stateOf(false, 'one')],
    ['ok', 'failure', 'failure', 'warning'],
  );
});
