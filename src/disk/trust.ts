/** Whether what lies at a path can only be from who may be trusted with it. */
import { realpath, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

const [byOthers, sticky] = [0o002, 0o1000];

/**
 * Why everybody could have put it there, or changed it; undefined where only its owner and his group could, and for what is gone
 * again: who published it may have just ended.
 */
export async function whyUntrusted(path: string): Promise<string | undefined> {
  try {
    return await lookAt(path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;

async function lookAt(path: string): Promise<string | undefined> {
  const real = await realpath(path);
  const folder = dirname(real);
  const [file, around] = await Promise.all([stat(real), stat(folder)]);
  if ((file.mode & byOthers) !== 0) return `everybody may write to ${path}`;
  if ((around.mode & byOthers) === 0) return undefined;
  // As in /tmp: what is mine stays mine.
  const isOurs = file.uid === 0 || file.uid === process.getuid?.();
  return (around.mode & sticky) !== 0 && isOurs ? undefined : `everybody may write in ${folder}`;
}
