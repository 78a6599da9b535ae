import type { ChildStatus } from '../../supervise/spec.ts';
import type { Deed } from './deeds.ts';

/** Listens to a tree, and tells how long each start of a service took. */
export function tellReady(tell: (deed: Deed) => void): (status: ChildStatus) => void {
  const spawnedAt = new Map<string, number>();
  return ({ id, current }) => {
    if (current.state === 'starting') spawnedAt.set(id, current.since);
    const since = spawnedAt.get(id);
    if (current.state !== 'ready' || since === undefined) return;
    tell({ deed: 'became-ready', service: id, seconds: Math.max(0, current.since - since) / 1000 });
  };
}
