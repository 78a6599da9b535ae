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
  const listening = readRows()
    .map(parseSocket)
    .filter((one) => one.state === 'listen' && one.localPort === port && one.onLoopback);
  if (listening.length === 0) return 'nobody';
  const held = new Set(processesOfGroup(pgid).flatMap((one) => socketsOf(one.pid)));
  return listening.every((one) => held.has(one.inode)) ? 'ours' : 'foreign';
}

/** One end of a connection, its address as Node gives it. */
export interface End {
  readonly address: string;
  readonly port: number;
}

/**
 * The owner of the peer's socket. By both ends of the connection, addresses and all: another user may have the owner's address and port as long as he connects to
 * another address of ours.
 *
 * @param rows of /proc/net/tcp and tcp6
 */
export function findPeer(rows: readonly string[], ours: End, peer: End): number | undefined {
  const [local, remote] = [kernelName(peer), kernelName(ours)];
  // A row of a socket that its process has closed (inode 0) or that waits (TIME_WAIT) says uid 0, whoever it was.
  const found = rows
    // To take all of them apart takes 30 ms of 8,000, and everybody on the node may make us do it.
    .filter((row) => row.includes(local) && row.includes(remote))
    .map(parseSocket)
    .filter((one) => one.state === 'connected' && one.inode !== '0')
    .filter((one) => one.local === local && one.remote === remote);
  const [first] = found;
  return found.every(({ inode, uid }) => inode === first?.inode && uid === first.uid)
    ? first?.uid
    : undefined;
}

interface SocketRow {
  /** `ADDRESS:PORT` as `kernelName` writes it. */
  readonly local: string;
  readonly remote: string;
  readonly localPort: number;
  /** Its local address is a loopback address or "any". */
  readonly onLoopback: boolean;
  /** `connected`: also where one side, or both, said its end. */
  readonly state: 'listen' | 'connected' | 'other';
  readonly uid: number;
  readonly inode: string;
}

/** ESTABLISHED, FIN_WAIT1, FIN_WAIT2, CLOSE_WAIT, LAST_ACK, CLOSING: whose first bytes we read may have ended already. */
const connected = new Set(['01', '04', '05', '08', '09', '0B']);

/** 127/8, 0.0.0.0, ::, ::1 and ::ffff:127/8, as /proc/net prints them: 32-bit words, lowest byte first. */
const loopbackAddress = /^(?:0{8}|\w{6}7F|0{32}|0{24}01000000|0{16}FFFF0000(?:0{8}|\w{6}7F))$/;

/** IPv4 within IPv6, which is how a socket of `::` sees a peer of IPv4; the peer's own row may say either. */
const mapped = /^0{16}FFFF0000(?=\w{8}:)/;

/** As /proc/net prints it. */
export function kernelName({ address, port }: End): string {
  const bytes = bytesOf(address).map((byte) => hex(byte, 2));
  const words = bytes.flatMap((_, at) => (at % 4 === 0 ? bytes.slice(at, at + 4).toReversed() : []));
  return `${words.join('')}:${hex(port, 4)}`;
}

const hex = (value: number, digits: number): string => value.toString(16).toUpperCase().padStart(digits, '0');

/** 4 of IPv4, also within IPv6; 16 of IPv6. */
function bytesOf(address: string): number[] {
  const dotted = /(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address);
  if (dotted !== null) return dotted.slice(1).map(Number);
  const groupsOf = (part = ''): string[] => part.split(':').filter((group) => group !== '');
  const [head, tail] = address.replace(/%.*$/, '').split('::');
  const [before, after] = [groupsOf(head), groupsOf(tail)];
  const zeros = Array<string>(Math.max(0, 8 - before.length - after.length)).fill('0');
  return [...before, ...zeros, ...after]
    .map((group) => Number.parseInt(group, 16))
    .flatMap((group) => [group >> 8, group & 0xff]);
}

const readRows = (): string[] =>
  ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((file) => readText(file).split('\n').slice(1, -1));

/** @param row a line of /proc/net/tcp: `sl local remote st queues timer retransmits uid timeout inode ...` */
function parseSocket(row: string): SocketRow {
  const [, local = '', remote = '', state = '', , , , uid, , inode = ''] = row.trim().split(/\s+/);
  const [address = '', port = ''] = local.split(':');
  return {
    local: local.replace(mapped, ''),
    remote: remote.replace(mapped, ''),
    localPort: Number.parseInt(port, 16),
    onLoopback: loopbackAddress.test(address),
    state: state === '0A' ? 'listen' : connected.has(state) ? 'connected' : 'other',
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
