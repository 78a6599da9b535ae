/** The door under an old Node: the project's own Node takes over, and neither outlives the other. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

import { isNewEnough } from '../../src/hand-over.ts';
import {
  checkout,
  processesMarked,
  runProgram,
  startProgram,
  systemNode,
  until,
  untilGone,
} from './program.ts';

const folder = mkdtempSync(join(tmpdir(), 'rag-door-'));
after(() => rmSync(folder, { recursive: true }));

const version =
  systemNode === undefined ? '' : execFileSync(systemNode, ['--version'], { encoding: 'utf8' }).slice(1);
const oldNode = systemNode !== undefined && !isNewEnough(version) ? systemNode : undefined;
const skip = oldNode === undefined ? 'the system has no Node that is too old' : false;
const node = oldNode ?? process.execPath;

test('isNewEnough() knows the floor', () => {
  assert.deepEqual(['20.20.2', '22.18.0', '22.19.0', '23.0.0', '24.1.0'].map(isNewEnough), [
    false,
    false,
    true,
    true,
    true,
  ]);
});

/** A service without a model, until its endpoint is published. */
async function serve(name: string, nodePath: string, reader: 'reads' | 'close' = 'reads') {
  const env = {
    RAG_ENGINE: 'embedded',
    RAG_SHARED_ROOT: join(folder, name),
    LOG_ROOT: join(folder, 'logs'),
    DOOR_TEST: `${process.pid}-${name}`,
  };
  const program = startProgram(['run', '--mode', 'serve'], { node: nodePath, env, cwd: folder, reader });
  const file = join(folder, name, 'runtime/ollama_service.json');
  const ended = program.ended.then(({ stderr }) => assert.fail(`it ended by itself:\n${stderr}`));
  await Promise.race([
    until('the endpoint file', 60_000, () => (existsSync(file) ? true : undefined)),
    ended,
  ]);
  ended.catch(() => {});
  return { program, file, mark: env.DOOR_TEST };
}

test('kill -9 of the old Node leaves no process after a second', { skip }, async () => {
  const { program, mark } = await serve('killed', node);
  assert.ok(processesMarked('DOOR_TEST', mark).length >= 5, 'door, supervisor, servers, reranker, store');
  process.kill(program.pid, 'SIGKILL');
  await untilGone('DOOR_TEST', mark, 1000);
});

test(
  'TERM that reaches door and supervisor together counts once: it drains and ends with 0',
  { skip },
  async () => {
    const { program, file, mark } = await serve('group', node);
    for (const { pid, command } of processesMarked('DOOR_TEST', mark)) {
      if (command.includes('supervisor.js')) process.kill(pid, 'SIGTERM');
    }
    assert.equal((await program.ended).code, 0);
    assert.equal(existsSync(file), false);
    await untilGone('DOOR_TEST', mark, 1000);
  },
);

test('kill -9 of the supervisor itself leaves no process after a second', async () => {
  const { program, mark } = await serve('itself', process.execPath);
  process.kill(program.pid, 'SIGKILL');
  await untilGone('DOOR_TEST', mark, 1000);
});

test('exit codes pass through the door', { skip }, async () => {
  assert.equal((await runProgram(['plna'], { node })).code, 64);
  assert.equal((await runProgram(['config'], { node, env: { RAG_TOPK: 'many' } })).code, 78);
});

test('without a newer Node the door says which one is wanted and what to do', { skip }, async () => {
  const bare = join(folder, 'bare');
  for (const file of ['supervisor.js', 'hand-over.js'])
    cpSync(join(checkout, 'dist', file), join(bare, 'dist', file));
  cpSync(join(checkout, 'package.json'), join(bare, 'package.json'));
  const { code, stderr } = await runProgram([], { node, script: join(bare, 'dist/supervisor.js') });
  assert.equal(code, 78);
  assert.match(stderr, /Node 22\.19 or newer is wanted/);
  assert.match(stderr, /npm install/);
});

test(
  'a RAG_NODE that is too old as well ends with 78 instead of handing over for ever',
  { skip },
  async () => {
    const { code, stderr } = await runProgram(['help'], { node, env: { RAG_NODE: node } });
    assert.equal(code, 78);
    assert.match(stderr, /mend RAG_NODE/);
  },
);

test('a reader of the log that has gone does not end the service', async () => {
  const { program, file } = await serve('unread', process.execPath, 'close');
  process.kill(program.pid, 'SIGTERM');
  assert.equal((await program.ended).code, 0);
  assert.equal(existsSync(file), false);
});
