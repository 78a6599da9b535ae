import { open, readdir } from 'node:fs/promises';
import path from 'node:path';

/**
 * LanceDB 0.37 never calls fsync (strace: 0 calls), so a commit that it has reported can be lost with the
 * host, leaving a head manifest of zero bytes. What is acknowledged must therefore be synced here: first the
 * files, then the folders that name them.
 *
 * It also makes its files for their owner alone, whatever the umask: here they get the mode that the umask means, so that
 * a group may ask an index.
 *
 * `synced` remembers what was synced before: Lance never changes a file once it has its final name.
 */
export async function syncTree(folder: string, synced: Set<string>): Promise<void> {
  await syncBelow(folder, synced);
  await syncPath(path.dirname(folder));
}

/** The one file of a table that is replaced. It only saves a listing: a torn or old one is passed over. */
const versionHint = 'latest_version_hint.json';

async function syncBelow(folder: string, synced: Set<string>): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true });
  const fresh = entries.filter(({ name }) => name !== versionHint && !synced.has(path.join(folder, name)));
  const folders = entries.filter((entry) => entry.isDirectory());
  await Promise.all(
    fresh.filter((entry) => entry.isFile()).map(({ name }) => syncPath(path.join(folder, name), fileMode())),
  );
  for (const { name } of folders) await syncBelow(path.join(folder, name), synced);
  if (fresh.length > 0) await syncPath(folder);
  for (const { name } of fresh) synced.add(path.join(folder, name));
}

const fileMode = (): number => 0o666 & ~process.umask();

/**
 * A file that is gone by now was a temporary one, or was cleaned up with its version. EINVAL is what some file
 * systems say to the sync of a folder.
 */
export async function syncPath(name: string, mode?: number): Promise<void> {
  const file = await open(name).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (file === undefined) return;
  try {
    // Of a file of somebody else he decides.
    if (mode !== undefined) await file.chmod(mode).catch(() => undefined);
    await file.sync();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EINVAL') throw error;
  } finally {
    await file.close();
  }
}
