import { fstatSync, readSync } from 'node:fs';
import { mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { keepBounded } from './log-rotation.ts';
import { within } from './pause.ts';
import type { Report } from './spec.ts';

const maxTailBytes = 64 * 1024;
const maxLogBytes = 64 * 1024 ** 2;
/** A file server that is gone must not hold up the end; the descriptor is closed when it comes back. */
const maxCloseMs = 10_000;

/** The log of one start, from its spawn to the empty group. */
export interface LogFile extends AsyncDisposable {
  /** For the child's stdout and stderr. A file, never a pipe: a blocked event loop must not block the child. */
  readonly fd: number;
  /**
   * The last lines that this start has written, newest last, out of at most 64 KiB. Never throws: a log that
   * cannot be read must not change what happens to its child.
   */
  tail(lines: number): string[];
}

/**
 * Opens for appending, readable by the owner only, and keeps it within `maxBytes` (see `keepBounded`). Our own
 * descriptor stays open beside the child's: what it leads to can be read when the name is gone.
 */
export async function openLog(path: string, report: Report, maxBytes = maxLogBytes): Promise<LogFile> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const file = await open(path, 'a+', 0o600);
  /** Where this start's lines begin (before stand those of earlier ones), and what was cut off since. */
  let from = fstatSync(file.fd).size;
  let earlier = '';
  const text = (): string => (earlier + readLast(file.fd, from)).slice(-maxTailBytes);
  const onCut = (): void => {
    earlier = text();
    from = 0;
  };
  const over = new AbortController();
  const bounded = keepBounded({ file, path, maxBytes, report, onCut }, over.signal);
  return {
    fd: file.fd,
    tail: (lines) => text().split(/\r?\n/).filter(Boolean).slice(-lines),
    [Symbol.asyncDispose]: async () => {
      over.abort();
      const closed = bounded.then(() => file.close());
      await within(closed, maxCloseMs);
    },
  };
}

/** From the beginning when the file became shorter: somebody else has cut it. Empty when it cannot be read. */
function readLast(fd: number, from: number): string {
  try {
    const { size } = fstatSync(fd);
    const start = Math.max(size < from ? 0 : from, size - maxTailBytes);
    const buffer = Buffer.alloc(size - start);
    return buffer.toString('utf8', 0, readSync(fd, buffer, 0, buffer.length, start));
  } catch {
    return '';
  }
}
