import { randomUUID } from 'node:crypto';
import { stat, unlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/**
 * Milliseconds since the file was last written, by the clock of the disk it lies on: the clocks of nodes differ,
 * so a file that is written now stands for the present.
 */
export async function ageByDisk(path: string): Promise<number> {
  const probe = join(dirname(path), `.now.${randomUUID()}`);
  await writeFile(probe, '');
  try {
    const [now, then] = await Promise.all([stat(probe), stat(path)]);
    return now.mtimeMs - then.mtimeMs;
  } finally {
    await unlink(probe);
  }
}
