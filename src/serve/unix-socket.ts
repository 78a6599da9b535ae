import { chmod, lstat, mkdir, unlink } from 'node:fs/promises';
import type { Server } from 'node:http';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { RagError } from '../errors.ts';

/** The kernel's limit is 107; a few bytes are left for those who put a suffix to it. */
const MAX_PATH_BYTES = 100;

/**
 * Listens in a folder that only the owner can enter: that is the whole protection of the socket. Closing the
 * server removes the file.
 *
 * @throws settings when the path is too long, the folder is not ours, or another server lives there
 */
export async function listenOnSocket(server: Server, path: string): Promise<void> {
  if (Buffer.byteLength(path) > MAX_PATH_BYTES)
    throw cannotListen(
      path,
      `its path has ${Buffer.byteLength(path)} bytes, at most ${MAX_PATH_BYTES} are wanted`,
    );
  await claimFolder(dirname(path), path);
  if ((await whoIsThere(path)) === 'alive')
    throw cannotListen(path, 'another server listens there, a path of its own is wanted');
  await unlink(path).catch(() => undefined);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

async function claimFolder(folder: string, path: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const found = await lstat(folder);
  if (!found.isDirectory() || found.uid !== process.getuid?.())
    throw cannotListen(path, `${folder} is not a folder of this user, one of its own is wanted`);
  if ((found.mode & 0o077) !== 0) await chmod(folder, 0o700);
}

/** A file that nobody listens at is what a killed server left behind. */
const whoIsThere = (path: string): Promise<'alive' | 'nobody'> =>
  new Promise((resolve) => {
    const probe = connect(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve('alive');
    });
    probe.once('error', () => resolve('nobody'));
  });

const cannotListen = (path: string, why: string): RagError =>
  new RagError('settings', `Cannot listen on ${path}: ${why}`, {
    hint: 'Set TMPDIR to a short path on a local disk, like /tmp',
  });
