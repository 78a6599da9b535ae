import { randomUUID } from 'node:crypto';
import { stat, unlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/**
 * Milliseconds since the file was last written, by the clock of the disk it lies on: the clocks of nodes differ,
 * so a file that is written now stands for the present. Undefined when there is no such file (any more).
 */
export async function ageByDisk(path: string): Promise<number | undefined> {
  const probe = join(dirname(path), `.now.${randomUUID()}`);
  try {
    await writeFile(probe, '');
    const [now, then] = await Promise.all([stat(probe), stat(path)]);
    return now.mtimeMs - then.mtimeMs;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  } finally {
    await unlink(probe).catch(() => undefined);
  }
}
