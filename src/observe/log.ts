/** Two readers, two forms: supervisor.jsonl for programs, short lines on stderr for people. */
import { pino } from 'pino';

import { messageOf } from '../errors.ts';
import { openLogFile } from './log-file.ts';
import { withoutControls } from './terminal.ts';

export type Level = 'info' | 'warn' | 'error';
type Fields = Readonly<Record<string, unknown>>;

export interface Log extends Disposable {
  /**
   * For both readers.
   * @param line what a person reads, without a time
   * @param fields what a program reads beside it. Never text of questions or documents.
   */
  (level: Level, line: string, fields?: Fields): void;
  /** For the file alone. */
  file(line: string, fields?: Fields): void;
}

/** Weeks of a job with restarts; as many again in `<path>.1`. */
const maxLogBytes = 16 * 1024 ** 2;

/**
 * @param path made when missing; its folder must exist
 * @param tell writes a line for people
 */
export function openLog(path: string, tell: (line: string) => void, maxBytes = maxLogBytes): Log {
  const lines = openLogFile(path, maxBytes);
  const json = pino({ base: { pid: process.pid }, timestamp: pino.stdTimeFunctions.isoTime }, lines);
  const sayOnce = once((error: unknown) => tell(`warn: ${path} cannot be written: ${messageOf(error)}`));
  /** A full disk under the log must not end a service. */
  const write = (level: Level, line: string, fields: Fields): void => {
    try {
      json[level](fields, line);
    } catch (error) {
      sayOnce(error);
    }
  };
  const log = (level: Level, line: string, fields: Fields = {}): void => {
    write(level, line, fields);
    tell(withoutControls(`${clock(new Date())} ${level === 'info' ? '' : `${level}: `}${line}`));
  };
  const file = (line: string, fields: Fields = {}): void => write('info', line, fields);
  return Object.assign(log, { file, [Symbol.dispose]: () => lines[Symbol.dispose]() });
}

function once(call: (error: unknown) => void): (error: unknown) => void {
  let called = false;
  return (error) => {
    if (!called) call(error);
    called = true;
  };
}

const clock = (now: Date): string => now.toTimeString().slice(0, 8);
