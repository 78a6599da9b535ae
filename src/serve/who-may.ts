/**
 * Who may ask: peers on this node that run as the owner. Nodes are shared, so a loopback port alone protects
 * nothing; and the owner's own browser is no peer, because any web page can make it send requests.
 */
import type { Socket } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { uidOfPeer } from '../machine/ports.ts';
import { type Problem, refuse } from './problem.ts';

/** `socket`: only the owner reaches the Unix socket, by its folder's mode. */
export type Peer = { readonly via: 'socket' } | { readonly via: 'tcp'; readonly uid: number | undefined };

interface Caller {
  readonly peer: Peer;
  readonly origin: string | undefined;
  readonly host: string | undefined;
}

/** Undefined: come in. */
export function judge({ peer, origin, host }: Caller, ownerUid: number): Problem | undefined {
  if (peer.via === 'tcp' && peer.uid !== ownerUid)
    return {
      status: 401,
      code: 'forbidden',
      message:
        'Cannot answer: the caller is not the owner of this service, only the same user on the same node may ask',
      hint: 'Start a service of your own: node dist/supervisor.js run',
    };
  if (origin !== undefined)
    return {
      status: 403,
      code: 'forbidden',
      message:
        'Cannot answer: the request comes from a web page (it has an Origin header), a program is wanted',
    };
  if (peer.via === 'tcp' && !isLoopbackHost(host))
    return {
      status: 403,
      code: 'forbidden',
      message: 'Cannot answer: the Host header is not this node, localhost or 127.0.0.1 is wanted',
      hint: 'Use http://127.0.0.1:PORT; behind a tunnel or proxy, let it send Host: localhost',
    };
  return undefined;
}

/** A page of a name that was made to resolve to 127.0.0.1 (DNS rebinding) still sends its own name. */
const isLoopbackHost = (host: string | undefined): boolean =>
  host !== undefined && /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?$/iu.test(host);

/** A hook for every request. The uid is looked up once per connection: 8-14 ms with 4,000 sockets open. */
export function makeWhoMay(
  ownerUid: number,
  isUnixSocket: (socket: Socket) => boolean,
  onRefused: (problem: Problem) => void,
): (request: FastifyRequest, reply: FastifyReply) => Promise<void> {
  const peers = new WeakMap<Socket, Peer>();
  const peerOf = (socket: Socket): Peer => {
    const known = peers.get(socket) ?? (isUnixSocket(socket) ? { via: 'socket' } : identify(socket));
    peers.set(socket, known);
    return known;
  };
  return async ({ raw, headers }, reply) => {
    const problem = judge({ peer: peerOf(raw.socket), origin: headers.origin, host: headers.host }, ownerUid);
    if (problem === undefined) return;
    onRefused(problem);
    await refuse(reply, problem);
  };
}

/**
 * A peer that has gone again has no ports, and no owner. Only peers at 127.0.0.1 itself: the port of a peer at 127.0.0.2 may be the same as that of the owner's
 * connection, and the kernel's table is searched by ports.
 */
function identify({ remoteAddress, localPort, remotePort }: Socket): Peer {
  const here =
    remoteAddress === '127.0.0.1' || remoteAddress === '::ffff:127.0.0.1' || remoteAddress === '::1';
  const known = here && localPort !== undefined && remotePort !== undefined;
  return { via: 'tcp', uid: known ? uidOfPeer(localPort, remotePort) : undefined };
}
