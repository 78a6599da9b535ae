/** Disks that are full and folders that cannot be written: said, with the place, or lived with. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { fault, NotHere } from './fault.ts';
import { ask, serve, startProgram, untilReady } from './program.ts';
import { kill, type World } from './world.ts';

interface Disk extends Disposable {
  readonly path: string;
}

/** Of so many bytes, and the user's own. */
function openDisk(world: World, name: string, options: string): Disk {
  const path = join(world.folder, name);
  mkdirSync(path);
  const { uid = 0 } = world.as;
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `mode=0700,uid=${uid},${options}`, 'tmpfs', path]);
  if (mounted.status !== 0) throw new NotHere(`no disk can be mounted: ${mounted.stderr.toString().trim()}`);
  return { path, [Symbol.dispose]: () => void spawnSync('umount', ['-l', path]) };
}

fault(
  { list: 6, fault: 'the disk of the logs is full, and the servers are killed', of: 'program' },
  async (world) => {
    using disk = openDisk(world, 'small', 'size=64k');
    const serving = await serve(world, { env: { LOG_ROOT: disk.path } });
    fill(disk);
    const since = performance.now();
    kill(...serving.servers);
    await untilReady(serving, [1, 1, 0, 0]);
    const ms = performance.now() - since;
    const { status, text } = await ask(world, `${serving.url()}/api/version`);
    assert.equal(status, 200, text);
    serving.signal('SIGTERM');
    assert.equal((await serving.ended).code, 0);
    return { outcome: 'replaced', ms };
  },
);

function fill({ path }: Disk): void {
  const file = openSync(join(path, 'rest'), 'w');
  try {
    for (;;) writeSync(file, Buffer.alloc(512));
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, 'ENOSPC');
  } finally {
    closeSync(file);
  }
}

fault({ list: 6, fault: 'the disk of the index is full', of: 'program' }, async (world) => {
  using disk = openDisk(world, 'small', 'size=64k');
  const input = join(world.folder, 'large.md');
  writeFileSync(
    input,
    Array.from({ length: 4000 }, (_, at) => `# Part ${at}\n\nSome words of part ${at}.\n`).join('\n'),
  );
  const since = performance.now();
  const env = { RAG_WORKING_DIR: join(disk.path, 'index') };
  const { code, stderr } = await startProgram(world, ['run', '--mode', 'ingest', '--input-file', input], {
    env,
  }).ended;
  const ms = performance.now() - since;
  assert.equal(code, 74, stderr);
  assert.match(stderr, new RegExp(disk.path));
  assert.deepEqual(world.marked(), []);
  return { outcome: 'refused', ms, detail: 'exit code 74, with the folder' };
});

fault({ list: 9, fault: 'the folder for temporary files is read-only', of: 'program' }, async (world) => {
  using disk = openDisk(world, 'sealed', 'ro');
  const since = performance.now();
  const { code, stderr } = await startProgram(world, ['run', '--mode', 'serve'], {
    env: { TMPDIR: disk.path },
  }).ended;
  assert.equal(code, 78, stderr);
  assert.match(stderr, /TMPDIR/);
  return { outcome: 'refused', ms: performance.now() - since, detail: 'exit code 78, with the setting' };
});

fault({ list: 9, fault: 'the home folder cannot be written', of: 'program' }, async (world) => {
  using disk = openDisk(world, 'home', 'ro');
  const since = performance.now();
  const serving = await serve(world, { env: { HOME: disk.path } });
  const ms = performance.now() - since;
  serving.signal('SIGTERM');
  assert.equal((await serving.ended).code, 0);
  return { outcome: 'goes on', ms };
});
