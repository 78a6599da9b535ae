import { open, readdir, rename } from 'node:fs/promises';
import path from 'node:path';

/** Every manifest ends with these bytes. */
const magic = 'LANC';

/**
 * Moves torn head manifests of a table aside, so that it opens at the version before. A host that went down
 * leaves them, because Lance does not sync; nothing that was acknowledged is in them, because we do.
 * A live writer cannot be mistaken for one: it links a manifest to its final name when it is whole.
 *
 * @returns `absent`: no manifest at all, a table that was never made; `damaged`: none is whole
 */
export async function healTable(
  folder: string,
  say: (line: string) => void,
): Promise<'sound' | 'absent' | 'damaged'> {
  const versions = path.join(folder, '_versions');
  const heads = await manifests(versions);
  for (const [index, name] of heads.entries()) {
    if (await isWhole(path.join(versions, name))) return 'sound';
    await rename(path.join(versions, name), path.join(versions, `${name}.torn`));
    say(
      `${folder}: the manifest ${name} is torn; opened the version before (${heads.length - index - 1} left)`,
    );
  }
  return heads.length === 0 ? 'absent' : 'damaged';
}

/** File name of the newest manifest: it changes with every commit. */
export const headManifest = async (folder: string): Promise<string | undefined> =>
  (await manifests(path.join(folder, '_versions')))[0];

/** Names, newest first: Lance names a manifest 2^64 - 1 - version, so that it sorts first. */
async function manifests(versions: string): Promise<string[]> {
  const names = await readdir(versions).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  return names.filter((name) => name.endsWith('.manifest')).sort();
}

async function isWhole(name: string): Promise<boolean> {
  const file = await open(name);
  try {
    const { size } = await file.stat();
    if (size < magic.length) return false;
    const { buffer } = await file.read(Buffer.alloc(magic.length), 0, magic.length, size - magic.length);
    return buffer.toString('latin1') === magic;
  } finally {
    await file.close();
  }
}
