import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { RagError } from '../errors.ts';
import { processesOfGroup } from './processes.ts';

const loopback = '127.0.0.1';
const lowest = 10_240;

/**
 * A port that is free on 127.0.0.1 at this moment, proven by binding it.
 *
 * The search begins at a place hashed from the seed (job, node, service): eight jobs that took 11434 + id % 1000
 * met each other 7 times in 200 rounds. It stays below the ephemeral range, where any outgoing connection may
 * take the port between our test and the child's bind. Taken all the same: pick again, `whoListens` tells.
 *
 * @param preferred tried first; 0: none
 * @throws `preflight` when every port of the range is taken
 */
export async function pickPort(seed: string, preferred: number = 0): Promise<number> {
  if (preferred > 0 && (await tryPort(preferred)) === 'free') return preferred;
  const [from, size] = portRange();
  const start = createHash('sha256').update(seed).digest().readUInt32BE() % size;
  for (let step = 0; step < size; step += 1) {
    const port = from + ((start + step) % size);
    if ((await tryPort(port)) === 'free') return port;
  }
  throw new RagError(
    'preflight',
    `Cannot pick a port: ${from} to ${from + size - 1} are all taken, wanted a free one`,
  );
}

/** First port and number of ports. Sites that made everything ephemeral get the customary range. */
function portRange(): readonly [number, number] {
  const ephemeral = Number.parseInt(readText('/proc/sys/net/ipv4/ip_local_port_range') || '32768', 10);
  return ephemeral > lowest + 1000 ? [lowest, ephemeral - lowest] : [lowest, 32_768 - lowest];
}

const tryPort = (port: number): Promise<'free' | 'taken'> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve('taken'));
    server.listen({ host: loopback, port, exclusive: true }, () => server.close(() => resolve('free')));
  });

/**
 * Who would answer on 127.0.0.1:port (or ::1): the child's own group, somebody else, or nobody. By the inode
 * of the listening socket, because a foreign server answers an HTTP probe just as well.
 */
export async function whoListens(port: number, pgid: number): Promise<'ours' | 'foreign' | 'nobody'> {
  const listening = readSockets().filter(
    (one) => one.state === 'listen' && one.localPort === port && one.onLoopback,
  );
  if (listening.length === 0) return 'nobody';
  const held = new Set(processesOfGroup(pgid).flatMap((one) => socketsOf(one.pid)));
  return listening.every((one) => held.has(one.inode)) ? 'ours' : 'foreign';
}

/**
 * Who is at the other end of a connection that came in over loopback: the owner of the peer's socket.
 * Undefined when there is no such connection any more. 8-14 ms with 4,000 sockets open: once per connection.
 *
 * @param localPort our port
 * @param remotePort the peer's port, as our socket sees it
 */
export function uidOfPeer(localPort: number, remotePort: number): number | undefined {
  // Established only: a row in TIME_WAIT says uid 0, whoever it was.
  return readSockets().find(
    (one) =>
      one.state === 'established' &&
      one.onLoopback &&
      one.localPort === remotePort &&
      one.remotePort === localPort,
  )?.uid;
}

interface SocketRow {
  readonly localPort: number;
  readonly remotePort: number;
  /** Its local address is a loopback address or "any". */
  readonly onLoopback: boolean;
  readonly state: 'listen' | 'established' | 'other';
  readonly uid: number;
  readonly inode: string;
}

const states: Readonly<Record<string, SocketRow['state']>> = { '0A': 'listen', '01': 'established' };

/** 127/8, 0.0.0.0, ::, ::1 and ::ffff:127/8, as /proc/net prints them: 32-bit words, lowest byte first. */
const loopbackAddress = /^(?:0{8}|\w{6}7F|0{32}|0{24}01000000|0{16}FFFF0000(?:0{8}|\w{6}7F))$/;

const readSockets = (): SocketRow[] =>
  ['/proc/net/tcp', '/proc/net/tcp6']
    .flatMap((file) => readText(file).split('\n').slice(1, -1))
    .map(parseSocket);

/** @param row a line of /proc/net/tcp: `sl local remote st queues timer retransmits uid timeout inode ...` */
function parseSocket(row: string): SocketRow {
  const [, local = '', remote = '', state = '', , , , uid, , inode = ''] = row.trim().split(/\s+/);
  const port = (address: string): number => Number.parseInt(address.slice(address.indexOf(':') + 1), 16);
  return {
    localPort: port(local),
    remotePort: port(remote),
    onLoopback: loopbackAddress.test(local.slice(0, local.indexOf(':'))),
    state: states[state] ?? 'other',
    uid: Number(uid),
    inode,
  };
}

/** Inodes of the sockets that a process holds; none when it is gone or belongs to another user. */
function socketsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).flatMap(
      (fd) => /^socket:\[(\d+)\]$/.exec(readLink(`/proc/${pid}/fd/${fd}`))?.[1] ?? [],
    );
  } catch {
    return [];
  }
}

function readLink(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
