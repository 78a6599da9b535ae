import { RagError } from '../errors.ts';
import type { ChildState, ExitStatus } from './spec.ts';

/** What can happen to a child. `stop` is said whenever its group is being emptied, after a crash too. */
export type ChildEvent =
  | { readonly event: 'spawned'; readonly pid: number; readonly at: number }
  | { readonly event: 'ready'; readonly at: number }
  | { readonly event: 'stop' }
  | { readonly event: 'restart'; readonly at: number; readonly reason: string }
  | { readonly event: 'exit'; readonly exit: ExitStatus }
  | { readonly event: 'fail'; readonly error: Error };

/**
 * The one transition function of a child's life.
 * Without a process: pending, restarting. With one: starting -> ready -> stopping, and from there to
 * restarting or to an end. So no end and no new start is ever declared before the old group was emptied.
 *
 * @throws `bug` for a transition that cannot be
 */
export function nextState(current: ChildState, event: ChildEvent): ChildState {
  const { state } = current;
  const isBetween = state === 'pending' || state === 'restarting';
  const mayEnd = isBetween || state === 'stopping';
  switch (event.event) {
    case 'spawned':
      if (isBetween) return { state: 'starting', pid: event.pid, since: event.at };
      break;
    case 'ready':
      if (state === 'starting') return { state: 'ready', pid: current.pid, since: event.at };
      break;
    case 'stop':
      if (state === 'starting' || state === 'ready') return { state: 'stopping', pid: current.pid };
      break;
    case 'restart':
      if (mayEnd) return { state: 'restarting', at: event.at, reason: event.reason };
      break;
    case 'exit':
      if (mayEnd) return { state: 'exited', exit: event.exit };
      break;
    case 'fail':
      if (mayEnd) return { state: 'failed', error: event.error };
      break;
  }
  throw new RagError(
    'bug',
    `Cannot apply '${event.event}' to a child: it is ${state}, wanted a state where that can happen`,
  );
}

export const hasProcess = ({ state }: ChildState): boolean =>
  state === 'starting' || state === 'ready' || state === 'stopping';
