import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { processesMarked, runProgram, systemNode } from './program.ts';

const folder = mkdtempSync(join(tmpdir(), 'rag-dry-run-'));
after(() => rmSync(folder, { recursive: true }));

const versionOf = (node: string): string => execFileSync(node, ['--version'], { encoding: 'utf8' }).trim();

const nodes = systemNode === undefined ? [process.execPath] : [process.execPath, systemNode];
for (const node of nodes) {
  test(`the program alone, under Node ${versionOf(node)}, answers a sample question with its source`, async () => {
    const mark = `${process.pid}-${versionOf(node)}`;
    const env = { RAG_WORKING_DIR: join(folder, 'index'), RAG_SHARED_ROOT: folder, DRY_RUN_TEST: mark };
    const { code, stdout, stderr } = await runProgram([], { node, env, cwd: folder });
    assert.equal(code, 0, `${stdout}\n${stderr}`);
    assert.match(stdout, /\[1\]/);
    assert.match(stdout, /\b[\w-]+\.(md|html|pdf)\b/);
    assert.equal(existsSync(env.RAG_WORKING_DIR), false, 'the dry run writes to a folder of its own');
    assert.deepEqual(processesMarked('DRY_RUN_TEST', mark), []);
  });
}

test('the system has a Node of its own to start the program with', { skip: systemNode === undefined }, () => {
  assert.notEqual(systemNode, process.execPath);
});
