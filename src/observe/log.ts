/** Two readers, two forms: supervisor.jsonl for programs, short lines on stderr for people. */
import { pino } from 'pino';

import { messageOf } from '../errors.ts';
import { openLogFile } from './log-file.ts';
import { day, dayLine, type Level, logLine } from './log-line.ts';
import type { Paint } from './paint.ts';

export type { Level };
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
  /** What the run is doing from now on: a column of the lines for people, a field for programs. */
  phase(name: string): void;
}

export interface LogOptions {
  /** Made when missing; its folder must exist. */
  readonly path: string;
  /** Writes a line for people. */
  readonly tell: (line: string) => void;
  readonly paint?: Paint | undefined;
  readonly maxBytes?: number;
  readonly now?: () => Date;
}

/** Weeks of a job with restarts; as many again in `<path>.1`. */
const maxLogBytes = 16 * 1024 ** 2;

export function openLog({
  path,
  tell,
  paint,
  maxBytes = maxLogBytes,
  now = () => new Date(),
}: LogOptions): Log {
  const lines = openLogFile(path, maxBytes);
  const json = pino({ base: { pid: process.pid }, timestamp: pino.stdTimeFunctions.isoTime }, lines);
  const sayOnce = once((error: unknown) => tell(`warn: ${path} cannot be written: ${messageOf(error)}`));
  let phase: string | undefined;
  let today = day(now());
  /** A full disk under the log must not end a service. */
  const write = (level: Level, line: string, fields: Fields): void => {
    try {
      json[level]({ ...(phase !== undefined && { phase }), ...fields }, line);
    } catch (error) {
      sayOnce(error);
    }
  };
  const log = (level: Level, line: string, fields: Fields = {}): void => {
    write(level, line, fields);
    const at = now();
    if (day(at) !== today) tell(dayLine(at, paint));
    today = day(at);
    tell(logLine({ at, phase, level, text: line }, paint));
  };
  const file = (line: string, fields: Fields = {}): void => write('info', line, fields);
  const setPhase = (name: string): void => {
    phase = name;
  };
  return Object.assign(log, { file, phase: setPhase, [Symbol.dispose]: () => lines[Symbol.dispose]() });
}

function once(call: (error: unknown) => void): (error: unknown) => void {
  let called = false;
  return (error) => {
    if (!called) call(error);
    called = true;
  };
}
