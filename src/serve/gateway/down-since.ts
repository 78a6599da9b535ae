/** How long nothing has been up that could answer: a request that waits in a long line has not waited for that. */
import type { LiveInstance, Role } from '../../models/types.ts';

export interface DownSince {
  /** Notes what is up now. To be called at every change: what lies between two looks is not seen. */
  look(): void;
  /** Milliseconds; 0: an instance of the role is up. */
  downMs(role: Role): number;
}

/** @param now in milliseconds */
export function makeDownSince(
  instances: (role: Role) => readonly LiveInstance[],
  now: () => number = () => performance.now(),
): DownSince {
  const since = new Map<Role, number>();
  const lookAt = (role: Role): void => {
    if (instances(role).length > 0) since.delete(role);
    else if (!since.has(role)) since.set(role, now());
  };
  const look = (): void => (['generate', 'embed'] as const).forEach(lookAt);
  look();
  return {
    look,
    downMs: (role) => {
      lookAt(role);
      return now() - (since.get(role) ?? now());
    },
  };
}

/** Of its patience, what a request has left. 0 or less: none. Pure. */
export const patienceLeft = (patienceMs: number, downMs: number, waitedMs: number): number =>
  patienceMs - Math.min(downMs, waitedMs);
