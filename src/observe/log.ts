/** Two readers, two forms: supervisor.jsonl for programs, short lines on stderr for people. */
import { pino } from 'pino';

import { messageOf } from '../errors.ts';
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

/** @param path made when missing; its folder must exist */
export function openLog(path: string, tell: (line: string) => void): Log {
  // Synchronous: a handful of lines a minute, and the last ones before a crash are the ones that count.
  const destination = pino.destination({ dest: path, sync: true, mode: 0o600 });
  const json = pino({ base: { pid: process.pid }, timestamp: pino.stdTimeFunctions.isoTime }, destination);
  const sayOnce = once((error: unknown) => tell(`warn: ${path} cannot be written: ${messageOf(error)}`));
  destination.on('error', sayOnce);
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
  return Object.assign(log, { file, [Symbol.dispose]: () => close(destination) });
}

function close(destination: ReturnType<typeof pino.destination>): void {
  try {
    destination.end();
  } catch {
    // What could not be written was said when it happened.
  }
}

function once(call: (error: unknown) => void): (error: unknown) => void {
  let called = false;
  return (error) => {
    if (!called) call(error);
    called = true;
  };
}

const clock = (now: Date): string => now.toTimeString().slice(0, 8);
