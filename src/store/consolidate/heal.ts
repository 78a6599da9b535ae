import { open, readdir, rename } from 'node:fs/promises';
import path from 'node:path';

/** Every manifest ends with these bytes. */
const magic = 'LANC';

/**
 * Moves torn head manifests of a table aside, so that it opens at the version before. A host that went down
 * leaves them, because Lance does not sync; nothing that was acknowledged is in them, because we do.
 * A live writer cannot be mistaken for one: it links a manifest to its final name when it is whole.
 * Where none is whole nothing is moved, so that the damage is still there for the next one who looks.
 *
 * @returns `absent`: no manifest and no data, a table that was never made; `damaged`: no manifest is whole
 */
export async function healTable(
  folder: string,
  say: (line: string) => void,
): Promise<'sound' | 'absent' | 'damaged'> {
  const versions = path.join(folder, '_versions');
  const torn: string[] = [];
  for (const name of await manifests(versions)) {
    if (!(await isWhole(path.join(versions, name)))) {
      torn.push(name);
      continue;
    }
    for (const head of torn) {
      await rename(path.join(versions, head), path.join(versions, `${head}.torn`));
      say(`${folder}: the manifest ${head} is torn; opened the version before`);
    }
    return 'sound';
  }
  return torn.length === 0 && !(await hasData(folder)) ? 'absent' : 'damaged';
}

/** A table that was never made, or not to the end. */
export const isEmptyTable = async (folder: string): Promise<boolean> =>
  (await headManifest(folder)) === undefined && !(await hasData(folder));

const hasData = (folder: string): Promise<boolean> =>
  readdir(path.join(folder, 'data')).then(
    (names) => names.length > 0,
    () => false,
  );

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
