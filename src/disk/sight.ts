/**
 * Whether two processes that may be on two machines mean the same file by a path. Nobody can set the time of an inode's last
 * change, which is kept in nanoseconds: two disks that have equal inodes, sizes and both times under one name are one
 * disk, or copies made block by block. Numbers of devices are left out: each machine has its own.
 */
import { constants } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { z } from 'zod';

export const sightSchema = z.object({
  /** Absolute. */
  path: z.string().regex(/^\/[^\0]*$/, 'is no absolute path'),
  inode: z.string(),
  bytes: z.string(),
  /** Nanoseconds since 1970. */
  modified: z.string(),
  changed: z.string(),
});

export type Sight = Readonly<z.infer<typeof sightSchema>>;

/** Undefined where nothing can be seen. */
export async function lookAt(path: string): Promise<Sight | undefined> {
  try {
    await (await open(path, constants.O_RDONLY | constants.O_NONBLOCK)).close(); // an NFS client asks its server anew, whatever it remembers
  } catch {
    // Who may not read it may see it all the same.
  }
  try {
    const { ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
    return {
      path,
      inode: String(ino),
      bytes: String(size),
      modified: String(mtimeNs),
      changed: String(ctimeNs),
    };
  } catch {
    return undefined;
  }
}

export async function isSeenAlike(there: Sight): Promise<boolean> {
  const here = await lookAt(there.path);
  const facts = ({ inode, bytes, modified, changed }: Sight): string =>
    [inode, bytes, modified, changed].join(' ');
  return here !== undefined && facts(here) === facts(there);
}
