import { constants, open } from 'node:fs/promises';

/** A token is some fifty characters. */
const maxBytes = 4096;

/**
 * The token that lies in a file. What names the file may be anybody's word: a pipe in its place is not waited for, and of
 * something long only the first bytes are read.
 *
 * @throws what the file system says, and for what is no file
 */
export async function readToken(path: string): Promise<string> {
  await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  if (!(await file.stat()).isFile()) throw new Error(`${path} is no regular file`);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(maxBytes), 0, maxBytes, 0);
  return buffer.toString('utf8', 0, bytesRead).trim();
}
