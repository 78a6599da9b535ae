/**
 * Who is at the other end of connections that came in from this node, asked of the kernel's tables. They are read as a whole,
 * some milliseconds with 10,000 sockets open, and everybody on the node may open some and connect again and again: so one
 * reading answers all that have asked before it began, and most of the time nobody reads.
 */
import { readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { type End, findPeer, kernelName } from './ports.ts';

export interface Peers {
  /**
   * The owner of the peer's socket. Undefined when there is no such connection any more, or when it cannot be told.
   * @param isWanted asked when the table is there: nobody is looked for in vain
   */
  uidOf(ours: End, peer: End, isWanted?: () => boolean): Promise<number | undefined>;
}

/** The texts of the tables. */
export type ReadTables = () => Promise<readonly string[]>;

const readTables: ReadTables = () =>
  Promise.all(['/proc/net/tcp', '/proc/net/tcp6'].map((file) => readFile(file, 'latin1').catch(() => '')));

/** Nobody reads for so many times as long as the last reading and its answers took. */
const restFactor = 4;

export function makePeers(read: ReadTables = readTables): Peers {
  let next: Promise<(end: End) => readonly string[]> | undefined;
  let restsUntil = 0;
  const readNext = async (): Promise<(end: End) => readonly string[]> => {
    const restMs = restsUntil - performance.now();
    await (restMs > 0 ? pause(restMs) : undefined);
    // From here on whoever asks gets another one: his connection may be younger than what is being read.
    next = undefined;
    const began = performance.now();
    const rest = (): void => void (restsUntil = performance.now() + restFactor * (performance.now() - began));
    const tables = await read();
    rest();
    // Once more when those who wait for it have been answered, in this very turn.
    setImmediate(rest);
    return rowsByEnd(tables);
  };
  return {
    uidOf: async (ours, peer, isWanted = () => true) => {
      const rowsOf = await (next ??= readNext());
      return isWanted() ? findPeer(rowsOf(peer), ours, peer) : undefined;
    },
  };
}

/** Address and port of IPv4, also within IPv6: what the name of an end ends with. */
const tailLength = 'AABBCCDD:PORT'.length;

/** Rows by their local end, as far as its tail tells: thousands may be looked for in one reading of tens of thousands. */
export function rowsByEnd(tables: readonly string[]): (end: End) => readonly string[] {
  let byTail: Map<string, string[]> | undefined;
  const make = (): Map<string, string[]> => {
    const made = new Map<string, string[]>();
    for (const row of tables.flatMap((table) => table.split('\n').slice(1))) {
      // `  sl: LOCAL:PORT REMOTE:PORT ...`
      const to = row.indexOf(' ', row.indexOf(': ') + 2);
      const tail = row.slice(to - tailLength, to);
      const rows = made.get(tail);
      if (rows === undefined) made.set(tail, [row]);
      else rows.push(row);
    }
    return made;
  };
  return (end) => (byTail ??= make()).get(kernelName(end).slice(-tailLength)) ?? [];
}
