import { constants } from 'node:os';
import { codeOf, messageOf, RagError } from '../errors.ts';
import type { ChildSpec, ExitStatus } from './spec.ts';

/**
 * How one run of a child ended. `stopped`: we wanted it to. `undead`: its group is not empty, SIGKILL
 * notwithstanding; another start would meet it at its port and in its GPU memory.
 */
export type RunEnd =
  | { readonly outcome: 'exited'; readonly exit: ExitStatus }
  | { readonly outcome: 'not-ready' | 'hung'; readonly reason: string }
  | { readonly outcome: 'fatal'; readonly error: unknown }
  | { readonly outcome: 'stopped'; readonly exit: ExitStatus }
  | { readonly outcome: 'undead'; readonly reason: string };

/** `charged`: to the restart budget. What ends because another one is started again is not to blame. */
export type Verdict =
  | { readonly verdict: 'restart'; readonly reason: string; readonly charged: boolean }
  | { readonly verdict: 'exited'; readonly exit: ExitStatus }
  | { readonly verdict: 'failed'; readonly error: Error };

export type FinalVerdict = Exclude<Verdict, { readonly verdict: 'restart' }>;

/** What is known of a run when its group is empty. */
export interface Ended {
  readonly end: RunEnd;
  /** Last lines of its log, newest last. */
  readonly tail: readonly string[];
  /** The id of a child that this one follows and that is being started again. */
  readonly lost: string | undefined;
}

/** What comes of the end of a run, before the budget is asked. */
export function judge(spec: ChildSpec, { end, tail, lost }: Ended): Verdict {
  const charged = lost === undefined;
  if (end.outcome === 'exited') return judgeExit(spec, end.exit, tail, charged);
  if (end.outcome === 'stopped')
    return charged || spec.restart === 'temporary'
      ? { verdict: 'exited', exit: end.exit }
      : { verdict: 'restart', reason: `follows ${lost}, which was started again`, charged };
  if (end.outcome === 'fatal') return { verdict: 'failed', error: asFailure(spec, end.error, tail) };
  if (end.outcome !== 'undead' && spec.restart !== 'temporary')
    return { verdict: 'restart', reason: end.reason, charged };
  return { verdict: 'failed', error: failure(spec, end.reason, tail) };
}

/**
 * The same when nothing is started again. However it ended, nobody is surprised; but a stop that left processes behind
 * must not look like one that did not.
 *
 * @param isClosing before that others still work, and a failure would end them
 */
export function judgeAtTheEnd(spec: ChildSpec, { end, tail }: Ended, isClosing: boolean): FinalVerdict {
  if (isClosing && end.outcome === 'undead')
    return { verdict: 'failed', error: failure(spec, end.reason, tail) };
  return { verdict: 'exited', exit: 'exit' in end ? end.exit : { code: null, signal: null } };
}

function judgeExit(spec: ChildSpec, exit: ExitStatus, tail: readonly string[], charged: boolean): Verdict {
  const fatal = spec.fatalExit?.(exit, tail);
  if (fatal !== undefined) return { verdict: 'failed', error: asFailure(spec, fatal, tail) };
  const isFinal = spec.restart === 'temporary' || (spec.restart === 'transient' && exit.code === 0);
  return isFinal ? { verdict: 'exited', exit } : { verdict: 'restart', reason: exitReason(exit), charged };
}

/** Shells, and the first process of a namespace, tell of signal n as code 128 + n. */
function exitReason({ code, signal }: ExitStatus): string {
  if (signal !== null) return `was ended by ${signal}`;
  const name = Object.entries(constants.signals).find(([, number]) => number + 128 === code)?.[0];
  return name === undefined ? `exited with code ${code}` : `exited with code ${code} (${name})`;
}

/** Some programs print megabytes without a line end. */
const cut = (line: string): string =>
  line.length > 500 ? `${line.slice(0, 400)} ... ${line.slice(-100)}` : line;

/** The error that ends a service: its name, the reason, where its log is, and the last lines of it. */
export function failure(spec: ChildSpec, reason: string, tail: readonly string[], cause?: unknown): RagError {
  const hint = [`tail -n 100 ${spec.logFile}`, ...tail.slice(-20).map(cut)].join('\n');
  return new RagError('service-failed', `Cannot keep ${spec.id} running: it ${reason}, wanted it ready`, {
    hint,
    cause,
  });
}

/** An error of ours knows better than we what is wrong; any other gets the name of the service and its log. */
const asFailure = (spec: ChildSpec, error: unknown, tail: readonly string[]): Error =>
  error instanceof Error && codeOf(error) !== undefined
    ? error
    : failure(spec, `failed: ${messageOf(error)}`, tail, error);
