/** Which model servers are live, and what was learnt of them: services report here, models read the roster. */
import { makeRoster } from '../models/roster.ts';
import type { Role, Roster } from '../models/types.ts';
import type { Instance, Plan } from '../plan/types.ts';
import type { ServedModel } from '../services/ollama-ready.ts';
import type { ChildStatus } from '../supervise/spec.ts';

export interface Served {
  readonly roster: Roster;
  /** What the last server of the role that became ready told of itself. */
  of(role: Role): ServedModel | undefined;
  /** A server has proven itself. */
  add(instance: Instance, model: ServedModel): void;
  /** A server that is not ready gets no requests. */
  withdraw(status: ChildStatus): void;
}

/** @param loadOf see `makeRoster` */
export function makeServed(plan: Plan, loadOf?: (url: string) => number): Served {
  const roster = makeRoster(loadOf);
  const latest = new Map<Role, ServedModel>();
  return {
    roster,
    of: (role) => latest.get(role),
    add: ({ id, role }, model) => {
      if (role === 'rerank') return;
      latest.set(role, model);
      roster.set(role, id, { url: model.url, model: model.model });
    },
    withdraw: ({ id, current }) => {
      const role = plan.instances.find((instance) => instance.id === id)?.role;
      if (role !== undefined && role !== 'rerank' && current.state !== 'ready')
        roster.set(role, id, undefined);
    },
  };
}
