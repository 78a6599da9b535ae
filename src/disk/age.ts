import { randomUUID } from 'node:crypto';
import { stat, unlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/**
 * Milliseconds since the file was last written, by the clock of the disk it lies on: the clocks of nodes differ,
 * so a file that is written now stands for the present. Undefined when there is no such file (any more).
 */
export async function ageByDisk(path: string): Promise<number | undefined> {
  try {
    const now = await nowByDisk(dirname(path));
    return now - (await stat(path)).mtimeMs;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Milliseconds since 1970 by the clock of the disk that the folder lies on. */
export async function nowByDisk(folder: string): Promise<number> {
  const probe = join(folder, `.now.${randomUUID()}`);
  try {
    await writeFile(probe, '');
    return (await stat(probe)).mtimeMs;
  } finally {
    await unlink(probe).catch(() => undefined);
  }
}
