import { stat } from 'node:fs/promises';

/** What the file system says of a file without reading it. */
export interface FileState {
  /** Bytes. */
  readonly size: number;
  /** When its bytes, name or permissions last changed: milliseconds since 1970, by its disk's clock. */
  readonly changedMs: number;
  /**
   * Differs after every write that comes later than one tick of that clock. The time of the inode's last change is
   * in it because, unlike that of the content, nobody can set it back. Its number is not: some network file systems
   * give it anew at every mount.
   */
  readonly version: string;
}

/** Undefined where it cannot be asked: whoever opens it says why. */
export const fileState = (path: string): Promise<FileState | undefined> =>
  stat(path, { bigint: true }).then(
    ({ size, mtimeNs, ctimeNs }) => ({
      size: Number(size),
      changedMs: Number(mtimeNs > ctimeNs ? mtimeNs : ctimeNs) / 1e6,
      version: `${size} ${mtimeNs} ${ctimeNs}`,
    }),
    () => undefined,
  );
