import { closeSync, fstatSync, openSync, renameSync, statSync, writeFileSync } from 'node:fs';

/** A file for lines, appended to one by one. */
export interface LogFile extends Disposable {
  /**
   * Synchronous: a handful of lines a minute, and the last ones before a crash are the ones that count.
   * @throws the error of the system; the next line is tried anew
   */
  write(line: string): void;
}

/**
 * Each line goes to the file of that name, whatever became of the last one: deleted, or moved away by somebody
 * else. Before it would grow above `maxBytes` it is renamed to `<path>.1`, in place of an older one.
 *
 * @throws the error of the system
 */
export function openLogFile(path: string, maxBytes: number): LogFile {
  const open = (): number => openSync(path, 'a', 0o600);
  let fd: number | 'lost' | 'closed' = open();
  /** A full disk takes half a line; the next one must not be the end of it. */
  let before = '';
  const close = (next: 'lost' | 'closed'): void => {
    if (typeof fd === 'number') closeSync(fd);
    fd = next;
  };
  const write = (line: string): void => {
    if (fd === 'closed') return;
    if (typeof fd === 'number' && !isNamed(path, fd)) close('lost');
    else if (typeof fd === 'number' && fstatSync(fd).size + Buffer.byteLength(line) > maxBytes) {
      close('lost');
      renameSync(path, `${path}.1`);
    }
    if (typeof fd !== 'number') fd = open();
    try {
      writeFileSync(fd, before + line);
      before = '';
    } catch (error) {
      before = '\n';
      throw error;
    }
  };
  return { write, [Symbol.dispose]: () => close('closed') };
}

function isNamed(path: string, fd: number): boolean {
  const named = statSync(path, { throwIfNoEntry: false });
  const ours = fstatSync(fd);
  return named?.ino === ours.ino && named.dev === ours.dev;
}
