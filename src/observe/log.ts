/** Two readers, two forms: supervisor.jsonl for programs, short lines on stderr for people. */
import { pino } from 'pino';

export type Level = 'info' | 'warn' | 'error';

export interface Log extends Disposable {
  /**
   * For both readers.
   * @param line what a person reads, without a time
   * @param fields what a program reads beside it. Never text of questions or documents.
   */
  (level: Level, line: string, fields?: Readonly<Record<string, unknown>>): void;
  /** For the file alone. */
  file(line: string, fields?: Readonly<Record<string, unknown>>): void;
}

/** @param path made when missing; its folder must exist */
export function openLog(path: string, tell: (line: string) => void): Log {
  // Synchronous: a handful of lines a minute, and the last ones before a crash are the ones that count.
  const destination = pino.destination({ dest: path, sync: true, mode: 0o600 });
  const json = pino({ base: { pid: process.pid }, timestamp: pino.stdTimeFunctions.isoTime }, destination);
  const log = (level: Level, line: string, fields: Readonly<Record<string, unknown>> = {}): void => {
    json[level](fields, line);
    tell(`${clock(new Date())} ${level === 'info' ? '' : `${level}: `}${line}`);
  };
  const file = (line: string, fields: Readonly<Record<string, unknown>> = {}): void =>
    json.info(fields, line);
  return Object.assign(log, { file, [Symbol.dispose]: () => destination.end() });
}

const clock = (now: Date): string => now.toTimeString().slice(0, 8);
