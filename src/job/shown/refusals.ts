/** Refused requests in the log: the first of a kind at once, the others of a minute as a number. Anybody on the node can make thousands. */
import type { Log } from '../../observe/log.ts';
import type { Problem } from '../../serve/problem.ts';

const everyMs = 60_000;

/** @param now in ms, from any beginning */
export function tellRefusals(
  log: Pick<Log, 'file'>,
  now: () => number = () => performance.now(),
): (problem: Problem) => void {
  const told = new Map<string, { at: number; since: number }>();
  return (problem) => {
    const kind = `${problem.status} ${problem.code}`;
    const last = told.get(kind) ?? { at: -Infinity, since: 0 };
    last.since += 1;
    told.set(kind, last);
    if (now() - last.at < everyMs) return;
    const { message, status } = problem;
    log.file('endpoint: refused', { status, message, times: last.since });
    last.at = now();
    last.since = 0;
  };
}
