import { randomUUID } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { z } from 'zod';
import { isAlive, readStat } from '../machine/processes.ts';

export const ownerSchema = z.object({
  nonce: z.string(),
  pid: z.number(),
  /** Start of the process in clock ticks since boot: a pid comes back, the pair does not. */
  started: z.number(),
  /** Boot of the node and its pid namespace: a pid means something only to who shares both. */
  place: z.string(),
});

/** Names a process for ever, wherever the file that holds it is read. */
export type Owner = Readonly<z.infer<typeof ownerSchema>>;

export const makeOwner = (): Owner => ({
  nonce: randomUUID(),
  pid: process.pid,
  started: readStat(process.pid)?.startTime ?? 0,
  place: thisPlace(),
});

/** Undefined for a text that names nobody. */
export function parseOwner(text: string): Owner | undefined {
  try {
    return ownerSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** `dead` is proven; `unknown` is an owner elsewhere, of whom only a heartbeat can tell. */
export function lifeOf(owner: Omit<Owner, 'nonce'>): 'alive' | 'dead' | 'unknown' {
  if (owner.place === '' || owner.place !== thisPlace()) return 'unknown';
  const found = readStat(owner.pid);
  return found !== undefined && isAlive(found) && found.startTime === owner.started ? 'alive' : 'dead';
}

function thisPlace(): string {
  try {
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()} ${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return '';
  }
}

/** Undefined: it cannot be told. Names cannot: one machine may be several nodes of Slurm, and call itself otherwise still. */
export function isSameMachine({ place }: Pick<Owner, 'place'>): boolean | undefined {
  const here = bootOf(thisPlace());
  return place === '' || here === '' ? undefined : bootOf(place) === here;
}

const bootOf = (place: string): string => place.split(' ')[0] ?? '';
