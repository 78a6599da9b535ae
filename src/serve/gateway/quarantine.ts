/**
 * Requests that ended their server twice. Clients send a failed request again by themselves, and each time costs a server, and
 * a place in the budget of restarts that the whole job has: so the same request is refused unseen for a while.
 */
import { createHash } from 'node:crypto';

export interface Quarantine {
  has(path: string, body: Buffer): boolean;
  add(path: string, body: Buffer): void;
}

/** Not for ever: perhaps it was the GPU. */
const defaultMs = 600_000;
const most = 256;

/** @param now in ms, from any beginning */
export function makeQuarantine(
  forMs: number = defaultMs,
  now: () => number = () => performance.now(),
): Quarantine {
  /** Until when, by digest; the oldest first. */
  const untils = new Map<string, number>();
  const digestOf = (path: string, body: Buffer): string =>
    createHash('sha256').update(path).update('\n').update(body).digest('base64url');
  return {
    // Usually it is empty, and nothing has to be hashed.
    has: (path, body) => untils.size > 0 && (untils.get(digestOf(path, body)) ?? -Infinity) > now(),
    add: (path, body) => {
      const digest = digestOf(path, body);
      untils.delete(digest);
      untils.set(digest, now() + forMs);
      const [oldest] = untils.keys();
      if (untils.size > most && oldest !== undefined) untils.delete(oldest);
    },
  };
}
