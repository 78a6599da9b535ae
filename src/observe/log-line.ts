/** A line of a log for people: when, in which phase of the job, what. Pure. */
import { plain, type Paint } from './paint.ts';
import { withoutControls } from './terminal.ts';

export type Level = 'info' | 'warn' | 'error';

export interface LogLine {
  readonly at: Date;
  /** Of the run; undefined: it has none, and no column. */
  readonly phase?: string | undefined;
  readonly level: Level;
  readonly text: string;
}

/** As wide as the longest phase. */
const phaseColumns = 9;

/** `13:20:44 ingest    warn: set aside: a.pdf: it is encrypted`: what is read first always begins in the same column. */
export function logLine({ at, phase, level, text }: LogLine, paint: Paint = plain): string {
  const when = phase === undefined ? clock(at) : `${clock(at)} ${phase.padEnd(phaseColumns)}`;
  const what = withoutControls(level === 'info' ? text : `${level}: ${text}`);
  return `${paint('dim', when)} ${level === 'info' ? what : paint(level === 'warn' ? 'warn' : 'bad', what)}`;
}

/** What stands above the first line of another day: a job runs longer than a clock shows. */
export const dayLine = (at: Date, paint: Paint = plain): string => paint('dim', `--- ${day(at)}`);

/** `2026-11-22`, of the local time, as the clock's. */
export const day = (at: Date): string =>
  [at.getFullYear(), at.getMonth() + 1, at.getDate()].map((part) => String(part).padStart(2, '0')).join('-');

export const clock = (at: Date): string => at.toTimeString().slice(0, 8);
