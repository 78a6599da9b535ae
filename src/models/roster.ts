import { RagError } from '../errors.ts';
import type { ModelEndpoint, Role, Roster } from './types.ts';

interface Waiter {
  readonly role: Role;
  resolve(endpoint: ModelEndpoint): void;
}

/**
 * The live endpoints of both roles. A call goes to the one of its role that has the least to do, and among equals they
 * take turns: a server works on one batch of embeddings at a time, so only spreading the calls makes it faster.
 *
 * @param loadOf how many requests a server has, by its url
 */
export function makeRoster(loadOf: (url: string) => number = () => 0): Roster {
  const endpoints: Record<Role, Map<string, ModelEndpoint>> = { embed: new Map(), generate: new Map() };
  const waiters = new Set<Waiter>();
  const listeners = new Set<() => void>();

  /** Of those with the least to do the one that waited longest, moved to the end of the line. */
  const current = (role: Role): ModelEndpoint | undefined => {
    const line = [...endpoints[role]].map(([id, endpoint]) => ({ id, endpoint, load: loadOf(endpoint.url) }));
    const least = Math.min(...line.map(({ load }) => load));
    const first = line.find(({ load }) => load === least);
    if (first === undefined) return undefined;
    const { id, endpoint } = first;
    endpoints[role].delete(id);
    endpoints[role].set(id, endpoint);
    return endpoint;
  };

  const wake = (role: Role): void => {
    for (const waiter of [...waiters].filter((each) => each.role === role)) {
      const endpoint = current(role);
      if (endpoint !== undefined) waiter.resolve(endpoint);
    }
  };

  const untilSet = (role: Role, signal: AbortSignal): Promise<ModelEndpoint> =>
    new Promise((resolve, reject) => {
      const leave = (): void => {
        waiters.delete(waiter);
        signal.removeEventListener('abort', abort);
      };
      const waiter: Waiter = {
        role,
        resolve(endpoint) {
          leave();
          resolve(endpoint);
        },
      };
      const abort = (): void => {
        leave();
        reject(waitCancelled(role, signal));
      };
      waiters.add(waiter);
      signal.addEventListener('abort', abort);
    });

  return {
    set(role, id, endpoint) {
      if (endpoint === undefined) endpoints[role].delete(id);
      else endpoints[role].set(id, endpoint);
      if (endpoint !== undefined) wake(role);
      for (const listener of listeners) listener();
    },
    current,
    list: (role) => [...endpoints[role]].map(([id, endpoint]) => ({ id, ...endpoint })),
    onChange: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    async untilAvailable(role, signal) {
      if (signal.aborted) throw waitCancelled(role, signal);
      return current(role) ?? untilSet(role, signal);
    },
  };
}

const waitCancelled = (role: Role, signal: AbortSignal): RagError =>
  new RagError('aborted', `Cannot reach a model server to ${role}: the wait was cancelled`, {
    cause: signal.reason,
  });
