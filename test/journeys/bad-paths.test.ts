/** Paths that are none, and stops at awkward moments: each is told as what it is. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { runProgram, startProgram, until } from './program.ts';

const folder = mkdtempSync(join(tmpdir(), 'rag-bad-paths-'));
after(() => rmSync(folder, { recursive: true }));
const file = join(folder, 'file');
writeFileSync(file, '');
const env = {
  RAG_ENGINE: 'embedded',
  RAG_SHARED_ROOT: join(folder, 'shared'),
  LOG_ROOT: join(folder, 'logs'),
};

const wrong: readonly (readonly [what: string, words: string[], more: object, code: number, said: RegExp])[] =
  [
    [
      'a TMPDIR that is not there',
      ['retrieve', '--here', 'x'],
      { TMPDIR: '/nowhere' },
      78,
      /\(TMPDIR\): ENOENT/,
    ],
    ['a TMPDIR of a dry run', [], { TMPDIR: file }, 78, /\(TMPDIR\): ENOTDIR/],
    ['an index that is a file', ['index', 'inspect', '--working-dir', file], {}, 65, /there is no index in/],
    [
      'a list that is a folder',
      ['ingest', '--here', `@${folder}`],
      {},
      65,
      /it is a folder, and @ wants a list/,
    ],
    [
      'a state folder that is a file',
      ['status', '--env'],
      { RAG_RUNTIME_STATE: file },
      78,
      /there is no .*file\/ollama_service/,
    ],
  ];
for (const [what, words, more, code, said] of wrong)
  test(`${what} is no bug of the program`, async () => {
    const ended = await runProgram(words, { env: { ...env, ...more } });
    assert.equal(ended.code, code, ended.stderr);
    assert.match(ended.stderr, said);
  });

test('an index is not exported into a file', async () => {
  writeFileSync(join(folder, 'a.txt'), 'Whales are mammals.');
  const ingested = await runProgram(['ingest', '--here', join(folder, 'a.txt')], { env });
  assert.equal(ingested.code, 0, ingested.stderr);
  const { code, stderr } = await runProgram(['index', 'export', file], { env });
  assert.equal(code, 64, stderr);
  assert.match(stderr, /Cannot export to .*: EEXIST/);
});

for (const verb of ['doctor', 'plan'])
  test(`${verb} that is told to stop says no more of the machine`, async () => {
    const bin = join(folder, verb);
    mkdirSync(bin);
    const asked = join(bin, 'asked');
    writeFileSync(join(bin, 'nvidia-smi'), `#!/bin/sh\ntouch ${asked}\nexec sleep 60\n`);
    writeFileSync(join(bin, 'ollama'), '#!/bin/sh\necho ollama version is 0.21.3\n');
    for (const name of ['nvidia-smi', 'ollama']) chmodSync(join(bin, name), 0o755);
    const path = `${bin}:${process.env['PATH']}`;
    const program = startProgram([verb, '--json'], {
      env: { ...env, RAG_ENGINE: 'ollama', CUDA_VISIBLE_DEVICES: '0,1', PATH: path },
    });
    await until('the question to the driver', 20_000, () => (existsSync(asked) ? true : undefined));
    process.kill(program.pid, 'SIGINT');
    const { code, stdout, stderr } = await program.ended;
    assert.equal(code, 75, stderr);
    assert.equal(stdout, '');
    assert.equal(stderr, 'Cannot go on: SIGINT has told it to stop\n');
  });

test('what was ingested before a stop is in the summary of the run', async () => {
  let questions = 0;
  const reranker = createServer((_, response) => {
    questions += 1;
    // The first is the check before the run.
    if (questions === 1) response.end('[{"index":0,"score":0.5},{"index":1,"score":0.4}]');
    else process.kill(program.pid, 'SIGTERM');
  }).listen(0, '127.0.0.1');
  await once(reranker, 'listening');
  const { port } = reranker.address() as AddressInfo;
  const more = { RERANKER_URL: `http://127.0.0.1:${port}`, RAG_WORKING_DIR: join(folder, 'index') };
  const words = ['run', '--json', '--input-file', join(folder, 'a.txt'), '--query', 'What are whales?'];
  const program = startProgram(words, { env: { ...env, ...more } });
  const { code, stdout, stderr } = await program.ended;
  reranker.closeAllConnections();
  reranker.close();
  await once(reranker, 'close');
  assert.equal(code, 75, stderr);
  const { documents } = JSON.parse(stdout) as { documents: { processed: number } };
  assert.equal(documents.processed, 1, stderr);
});
