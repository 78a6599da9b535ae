import { RagError } from '../errors.ts';
import type { ChildState, ChildStatus } from './spec.ts';
import { type ChildEvent, hasProcess, nextState } from './state.ts';

/** The states of all children of a tree, and who wants to hear of them. */
export interface Statuses {
  readonly apply: (id: string, event: ChildEvent) => void;
  readonly all: () => ChildStatus[];
  readonly stateOf: (id: string) => ChildState;
  readonly onChange: (listener: (status: ChildStatus) => void) => () => void;
  /** Resolves when all are ready at the same time; rejects with the error of one that can become so no more. */
  readonly untilReady: (ids: readonly string[], signal: AbortSignal) => Promise<void>;
  /** Resolves when none of them has a process. Without a bound of its own: stopping has one. */
  readonly untilDown: (ids: readonly string[]) => Promise<void>;
}

export function makeStatuses(ids: readonly string[]): Statuses {
  const statuses = new Map<string, ChildStatus>(
    ids.map((id) => [id, { id, current: { state: 'pending' }, restarts: 0, reason: null }]),
  );
  const listeners = new Set<(status: ChildStatus) => void>();
  const get = (id: string): ChildStatus => {
    const status = statuses.get(id);
    if (status === undefined)
      throw new RagError('bug', `Cannot look up '${id}': no such child, wanted one of ${ids.join(', ')}`);
    return status;
  };
  const onChange = (listener: (status: ChildStatus) => void): (() => void) => {
    listeners.add(listener);
    return () => void listeners.delete(listener);
  };
  return {
    apply: (id, event) => {
      const next = afterEvent(get(id), event);
      statuses.set(id, next);
      for (const listener of listeners) tell(listener, next);
    },
    all: () => [...statuses.values()],
    stateOf: (id) => get(id).current,
    onChange,
    untilReady: (wanted, signal) => untilSo(() => areReady(wanted.map(get)), onChange, signal),
    untilDown: (wanted) => untilSo(() => wanted.every((id) => !hasProcess(get(id).current)), onChange),
  };
}

const afterEvent = (status: ChildStatus, event: ChildEvent): ChildStatus => ({
  ...status,
  current: nextState(status.current, event),
  ...(event.event === 'restart' ? { restarts: status.restarts + 1, reason: event.reason } : {}),
});

/** A listener's fault is its own, and loud; it must not end the life of a child half way. */
export function tell<T>(listener: (value: T) => void, value: T): void {
  try {
    listener(value);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}

/** @param isSo asked after every change; throws when it can become so no more */
async function untilSo(
  isSo: () => boolean,
  onChange: Statuses['onChange'],
  signal?: AbortSignal,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const check = (): void => {
    try {
      if (isSo()) resolve();
    } catch (error) {
      reject(error);
    }
  };
  const onAbort = (): void =>
    reject(
      new RagError('aborted', 'Cannot wait for the services: the wait was cancelled', {
        cause: signal?.reason,
      }),
    );
  const unsubscribe = onChange(check);
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    if (signal?.aborted === true) onAbort();
    check();
    await promise;
  } finally {
    unsubscribe();
    signal?.removeEventListener('abort', onAbort);
  }
}

function areReady(statuses: readonly ChildStatus[]): boolean {
  const lost = statuses.map(whyLost).find((error) => error !== undefined);
  if (lost !== undefined) throw lost;
  return statuses.every(({ current }) => current.state === 'ready');
}

function whyLost({ id, current }: ChildStatus): Error | undefined {
  if (current.state === 'failed') return current.error;
  if (current.state === 'exited')
    return new RagError('service-failed', `Cannot wait for ${id}: it has ended, wanted it ready`);
  return undefined;
}
