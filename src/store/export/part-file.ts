/** A file that gets its name when it is whole: until then it is `<name>.part`. */
import { createHash } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { asDiskFull } from '../../disk/atomic.ts';
import { syncPath } from '../durable.ts';

export interface WrittenFile {
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** Disposing it removes what is not finished. */
export interface PartFile extends AsyncDisposable {
  write(data: Uint8Array): Promise<void>;
  /** On disk and under its name when it resolves; replaces one that is there. */
  finish(): Promise<WrittenFile>;
}

export async function openPart(folder: string, name: string): Promise<PartFile> {
  const part = path.join(folder, `${name}.part`);
  const handle = await open(part, 'w', 0o644);
  const digest = createHash('sha256');
  let bytes = 0;
  return {
    write: async (data) => {
      await handle.writeFile(data).catch((error: unknown) => {
        throw asDiskFull(error, path.join(folder, name));
      });
      digest.update(data);
      bytes += data.byteLength;
    },
    finish: async () => {
      await handle.sync();
      await rename(part, path.join(folder, name));
      await syncPath(folder);
      return { name, bytes, sha256: digest.digest('hex') };
    },
    [Symbol.asyncDispose]: async () => {
      await handle.close();
      await rm(part, { force: true });
    },
  };
}
