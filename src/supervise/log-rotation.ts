/** A child keeps its log open for days, so no rename can take it away: what it wrote is copied, then cut off under it. */
import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises';
import { messageOf } from '../errors.ts';
import { pause } from './pause.ts';
import type { Report } from './spec.ts';

export interface GrowingLog {
  /** Opened for appending: after the cut the child goes on at the beginning, not behind a hole. */
  readonly file: Pick<FileHandle, 'stat' | 'read' | 'truncate'>;
  readonly path: string;
  /** Of the log; `<path>.1` takes as much again. */
  readonly maxBytes: number;
  readonly report: Report;
  /** The last moment to read from it. */
  readonly onCut: () => void;
}

const maxPauseMs = 1000;
const minPauseMs = 20;
const chunkBytes = 1024 * 1024;

/**
 * Looks at the log until aborted, and once more then. The bound holds by the descriptor, whatever became of the
 * name: a deleted log takes space nobody sees. Over it goes only what is written between two looks (a second at
 * most). Never rejects, and keeps no process alive.
 */
export async function keepBounded(log: GrowingLog, signal: AbortSignal): Promise<void> {
  const sayOnce = once(log.report);
  let seen = { bytes: 0, at: performance.now() };
  let pauseMs = 0;
  for (let isLast = false; !isLast;) {
    isLast = (await pause(pauseMs, signal, false)) === 'aborted';
    const bytes = await look(log, sayOnce);
    const at = performance.now();
    pauseMs = nextPauseMs(bytes - seen.bytes, at - seen.at, log.maxBytes - bytes);
    seen = { bytes, at };
  }
}

/**
 * Half the time until it is full at this pace (a flood fills 64 MiB in 50 ms), and at most twice the last pause:
 * soon after a start it is looked at often, when idle once a second.
 */
export function nextPauseMs(grownBytes: number, elapsedMs: number, leftBytes: number): number {
  const untilFullMs = grownBytes > 0 ? (leftBytes / grownBytes) * elapsedMs : Infinity;
  return Math.min(maxPauseMs, Math.max(minPauseMs, Math.min(untilFullMs / 2, elapsedMs * 2)));
}

/** @returns its size, in bytes, afterwards */
async function look(log: GrowingLog, report: Report): Promise<number> {
  try {
    const { size, ino, dev } = await log.file.stat();
    const named = await stat(log.path).catch(() => undefined);
    if (named?.ino !== ino || named.dev !== dev) report('log-lost', { path: log.path });
    if (size <= log.maxBytes) return size;
    await keepLast(log).catch((error: unknown) =>
      report('log-not-kept', { path: log.path, reason: messageOf(error) }),
    );
    log.onCut();
    await log.file.truncate(0);
  } catch (error) {
    report('log-not-bounded', { path: log.path, reason: messageOf(error) });
  }
  return 0;
}

/**
 * To `<path>.1`, in place of the older one, which goes first: three of them would be more than was promised. Where
 * the child writes faster than we copy, only the end is kept.
 */
async function keepLast(log: GrowingLog): Promise<void> {
  const kept = `${log.path}.1`;
  const unfinished = `${log.path}.new`;
  const { maxBytes } = log;
  await rm(kept, { force: true });
  try {
    const copied = await copyLast(log, unfinished, maxBytes - maxBytes / 16);
    if (copied === 'outrun') await copyLast(log, unfinished, maxBytes / 16);
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  }
  await rename(unfinished, kept);
}

/** With what is added meanwhile, up to `maxBytes`. */
async function copyLast(
  { file, maxBytes }: GrowingLog,
  to: string,
  lastBytes: number,
): Promise<'copied' | 'outrun'> {
  await using copy = await open(to, 'w', 0o600);
  const chunk = Buffer.allocUnsafe(chunkBytes);
  const { size } = await file.stat();
  const start = Math.max(0, Math.floor(size - lastBytes));
  for (let position = start; position < start + maxBytes;) {
    const wanted = Math.min(chunkBytes, start + maxBytes - position);
    const { bytesRead } = await file.read(chunk, 0, wanted, position);
    if (bytesRead === 0) break;
    await copy.writeFile(chunk.subarray(0, bytesRead));
    position += bytesRead;
    if ((await file.stat()).size > size + maxBytes / 8) return 'outrun';
  }
  return 'copied';
}

/** A disk stays full for hours, and a log is looked at every second. */
function once(report: Report): Report {
  const said = new Set<string>();
  return (event, detail) => {
    if (!said.has(event)) report(event, detail);
    said.add(event);
  };
}
