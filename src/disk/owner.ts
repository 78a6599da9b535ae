import { randomUUID } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { startTimeOf } from '../machine/processes.ts';

/** Names a process for ever, wherever the file that holds it is read. */
export interface Owner {
  readonly nonce: string;
  readonly pid: number;
  /** Start of the process in clock ticks since boot: a pid comes back, the pair does not. */
  readonly started: number;
  /** Boot of the node and its pid namespace: a pid means something only to who shares both. */
  readonly place: string;
}

export const makeOwner = (): Owner => ({
  nonce: randomUUID(),
  pid: process.pid,
  started: startTimeOf(process.pid) ?? 0,
  place: thisPlace(),
});

/** `dead` is proven; `unknown` is an owner elsewhere, of whom only a heartbeat can tell. */
export function lifeOf(owner: Omit<Owner, 'nonce'>): 'alive' | 'dead' | 'unknown' {
  if (owner.place === '' || owner.place !== thisPlace()) return 'unknown';
  return startTimeOf(owner.pid) === owner.started ? 'alive' : 'dead';
}

function thisPlace(): string {
  try {
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()} ${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return '';
  }
}
