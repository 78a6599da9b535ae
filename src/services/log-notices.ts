import { open, stat } from 'node:fs/promises';
import { pause } from '../supervise/pause.ts';
import type { Report, Watch } from '../supervise/spec.ts';
import { readLine, type Told } from './ollama-lines.ts';

/** What the new lines of a log told. */
export interface Notices {
  /** Where the next reading begins, in bytes. */
  readonly position: number;
  readonly told: readonly Told[];
}

/** A crash prints some tens of kilobytes of stacks; a server that says more in ten seconds says it again. */
const maxBytes = 256 * 1024;

/**
 * Reads what was appended after `position`, at most the last 256 KiB and up to the last whole line. A log that became
 * shorter was rotated in place and is read from its beginning. One that cannot be read told nothing: never rejects.
 */
export async function readNotices(file: string, position: number): Promise<Notices> {
  try {
    const { bytes, start } = await readNew(file, position);
    const end = bytes.lastIndexOf(0x0a) + 1;
    // One line longer than all we read: it is none of ours.
    if (end === 0 && bytes.length === maxBytes) return { position: start + bytes.length, told: [] };
    const lines = bytes.toString('utf8', 0, end).split(/\r?\n/);
    return { position: start + end, told: lines.flatMap((line) => readLine(line) ?? []) };
  } catch {
    return { position, told: [] };
  }
}

async function readNew(file: string, position: number): Promise<{ bytes: Buffer; start: number }> {
  await using handle = await open(file, 'r');
  const { size } = await handle.stat();
  const start = Math.max(size < position ? 0 : position, size - maxBytes);
  const { bytesRead, buffer } = await handle.read(Buffer.alloc(size - start), 0, size - start, start);
  return { bytes: buffer.subarray(0, bytesRead), start };
}

/** Tells of warnings and errors while a server runs, those of its start and load included. Never ends by itself. */
export const logNotices =
  (file: string, periodMs = 10_000): Watch =>
  async (running, report, signal) => {
    let position = await sizeOf(file);
    tell(
      running.logTail(maxLines).flatMap((line) => readLine(line) ?? []),
      report,
    );
    while ((await pause(periodMs, signal)) === 'elapsed') {
      const notices = await readNotices(file, position);
      position = notices.position;
      tell(notices.told, report);
    }
    return 'its log is read no more';
  };

const maxLines = 2000;

const sizeOf = async (file: string): Promise<number> => (await stat(file).catch(() => ({ size: 0 }))).size;

/** Each kind once, with what its newest line said: a failing server repeats itself a hundred times a second. */
function tell(told: readonly Told[], report: Report): void {
  const byName = Map.groupBy(
    told.filter(({ level }) => level !== 'info'),
    ({ name }) => name,
  );
  for (const [notice, all] of byName) {
    const newest = all.at(-1);
    if (newest === undefined) continue;
    const { level, says, facts } = newest;
    // Not `level`: every line of the supervisor's log has one of its own.
    report('notice', { notice, severity: level, says, count: all.length, ...facts });
  }
}
