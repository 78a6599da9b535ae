import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { asCalled } from '../../src/commands/called-as.ts';

const folder = mkdtempSync(join(tmpdir(), 'rag-called-'));
after(() => rmSync(folder, { recursive: true }));
const [home, spaced, links, nodes] = ['home', 'my home', 'links', 'nodes'].map((name) => join(folder, name));
for (const each of [home, spaced]) mkdirSync(join(each ?? '', 'bin'), { recursive: true });
for (const each of [links, nodes]) mkdirSync(each ?? '');
writeFileSync(join(home ?? '', 'bin/rag-allinone'), '');
symlinkSync(join(home ?? '', 'bin/rag-allinone'), join(links ?? '', 'rag-allinone'));
writeFileSync(join(nodes ?? '', 'node'), '');

const hint = 'node dist/supervisor.js status   # or: sbatch --time=1:00:00 sbatch/rag_allinone.sbatch';
const called = (cwd: string | undefined, path: string | undefined, where = home, text = hint): string =>
  asCalled(text, { home: where ?? '', cwd: cwd ?? '', path });

test('in a checkout where there is a node the words are those of the pages', () => {
  assert.equal(called(home, nodes), hint);
});

test('in its folder without a node, and elsewhere, the launcher takes its place', () => {
  assert.equal(called(home, '/nowhere').split('   ')[0], 'bin/rag-allinone status');
  const elsewhere = `${home}/bin/rag-allinone status   # or: RAG_HOME=${home} sbatch --time=1:00:00 ${home}/sbatch/rag_allinone.sbatch`;
  assert.equal(called('/', nodes), elsewhere);
  assert.equal(called('/', undefined), elsewhere);
});

test('a launcher on PATH is called by its name, through a link too, and another one of that name is not taken for it', () => {
  assert.match(called('/', links), /^rag-allinone status /);
  assert.match(called('/', links, spaced), /^'.*my home\/bin\/rag-allinone' status /);
});

test('an option that names a batch script gets its whole path, and no submission is seen in it', () => {
  const text = 'node dist/supervisor.js doctor --sbatch sbatch/rag_allinone.sbatch';
  assert.equal(
    called('/', undefined, home, text),
    `${home}/bin/rag-allinone doctor --sbatch ${home}/sbatch/rag_allinone.sbatch`,
  );
});
