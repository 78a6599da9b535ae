/**
 * Who may ask: peers on this node that run as the owner, and who holds a token. Nodes are shared, so a loopback port
 * alone protects nothing; and the owner's own browser is no peer, because any web page can make it send requests: only
 * pages that this endpoint has given out itself are let in.
 */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { makePeers, type Peers } from '../../machine/peers.ts';
import { withoutUrlTokens } from '../../observe/url-tokens.ts';
import { whoMay } from '../contract/table.ts';
import { type Problem, refuse } from '../problem.ts';
import { picturePath, refusePage, wantsPage } from '../routes/page.ts';
import type { Grant, TokenGate } from './tokens.ts';

/** `socket`: only the owner reaches the Unix socket, by its folder's mode. */
export type Peer = { readonly via: 'socket' } | { readonly via: 'tcp'; readonly uid: number | undefined };

export interface Caller {
  readonly peer: Peer;
  /** What the token that it showed opens. */
  readonly grant: Grant;
  /** What it asks for, without a token. */
  readonly method: string;
  readonly path: string;
  readonly origin: string | undefined;
  readonly host: string | undefined;
  /** What a browser says of the page that makes it ask; other programs say nothing. */
  readonly fetch?: {
    /** `Sec-Fetch-Site`: `same-origin`, `same-site`, `cross-site`, or `none` for an address that a person gave. */
    readonly site: string | undefined;
    /** `Sec-Fetch-Dest`: `document` where the whole window goes there. */
    readonly dest: string | undefined;
  };
}

/** Undefined: come in. */
export function judge(
  { peer, grant, method, path, origin, host, fetch }: Caller,
  ownerUid: number,
): Problem | undefined {
  const who = whoMay(method, path);
  if (who === 'anyone') return undefined;
  const isOwner = peer.via === 'socket' || peer.uid === ownerUid;
  if (!isOwner && grant === 'nothing') return notAllowed;
  if (!isOwner && grant === 'models' && who !== 'models')
    return {
      status: 403,
      code: 'forbidden',
      message: `Cannot answer: the token of an address opens models and retrieval, not ${withoutUrlTokens(`${method} ${path.split('?')[0]}`)}`,
      hint: 'Send the token of token_file as a header: Authorization: Bearer ...',
    };
  const isOwnHost = isLoopbackHost(host) || grant === 'everything';
  if (origin !== undefined && !(isOwnHost && origin === `http://${host}`)) return fromAPage('another page');
  if (fetch?.site !== undefined && isForeign(method, fetch)) return fromAPage('a page of another place');
  // A page cannot know a token, so that any name of this node will do for who shows one.
  if (peer.via === 'tcp' && grant === 'nothing' && !isLoopbackHost(host))
    return {
      status: 403,
      code: 'forbidden',
      message: 'Cannot answer: the Host header is not this node, localhost or 127.0.0.1 is wanted',
      hint: 'Use http://127.0.0.1:PORT; behind a tunnel or proxy, let it send Host: localhost',
    };
  return undefined;
}

/**
 * A page of ours may ask, which our own host has given out; no other, whatever it asks with. Without an Origin it can still
 * make a browser load a picture or a script from here: then the browser says that it stands elsewhere. That somebody follows
 * a link is no harm: the answer is for his eyes only.
 */
const isForeign = (method: string, { site = '', dest }: NonNullable<Caller['fetch']>): boolean =>
  !['same-origin', 'none'].includes(site) && !(method === 'GET' && dest === 'document');

const fromAPage = (what: string): Problem => ({
  status: 403,
  code: 'forbidden',
  message: `Cannot answer: ${what} in a browser makes the request, a program or a page of this service is wanted`,
  hint: 'Open http://127.0.0.1:PORT itself; on another machine: ssh -L PORT:127.0.0.1:PORT NODE',
});

const notAllowed: Problem = {
  status: 401,
  code: 'forbidden',
  message:
    'Cannot answer: the caller is not the owner of this service on this node and shows no token, one of both is wanted',
  hint: 'curl -H "Authorization: Bearer $(cat TOKEN_FILE)"   # token_file in ollama_service.json',
};

const noHost: Problem = {
  status: 400,
  code: 'bad-request',
  message: 'Cannot read the request: it has no Host header, one is wanted',
};

/** A page of a name that was made to resolve to 127.0.0.1 (DNS rebinding) still sends its own name. */
const isLoopbackHost = (host: string | undefined): boolean =>
  host !== undefined && /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?$/iu.test(host);

/** As whom a caller was let in. */
export interface Admitted {
  /** On this node, by the kernel's word. */
  readonly isOwner: boolean;
  readonly grant: Grant;
}

const admitted = new WeakMap<IncomingMessage, Admitted>();

/** For routes that not everybody may use who may come in. */
export const whoAsks = ({ raw }: FastifyRequest): Admitted =>
  admitted.get(raw) ?? { isOwner: false, grant: 'nothing' };

/** A hook for every request. The uid is looked up once per connection, and only where it decides. */
export function makeWhoMay(
  ownerUid: number,
  isUnixSocket: (socket: Socket) => boolean,
  tokens: Pick<TokenGate, 'grantOf'>,
  onRefused: (problem: Problem) => void,
): (request: FastifyRequest, reply: FastifyReply) => Promise<unknown> {
  const peers = new WeakMap<Socket, Promise<Peer>>();
  const lookup = makePeers();
  const peerOf = (socket: Socket): Promise<Peer> => {
    const known = peers.get(socket) ?? identify(socket, isUnixSocket(socket), lookup);
    peers.set(socket, known);
    return known;
  };
  return async ({ raw, headers }, reply) => {
    const isPage = wantsPage(raw.method, raw.url ?? '/', headers.accept);
    const path = isPage ? picturePath : (raw.url ?? '/');
    if (headers.host === undefined && raw.httpVersion === '1.1') return refuse(reply, noHost);
    // Some ask ten times a second whether we live.
    if (whoMay(raw.method ?? 'GET', path) === 'anyone') return undefined;
    const caller = {
      peer: await peerOf(raw.socket),
      grant: tokens.grantOf(raw),
      method: raw.method ?? 'GET',
      // The dashboard has all that its news have.
      path,
      origin: headers.origin,
      host: headers.host?.toLowerCase(),
      fetch: { site: textOf(headers['sec-fetch-site']), dest: textOf(headers['sec-fetch-dest']) },
    };
    const problem = judge(caller, ownerUid);
    if (problem === undefined) {
      const { peer, grant } = caller;
      admitted.set(raw, { isOwner: peer.via === 'socket' || peer.uid === ownerUid, grant });
      return undefined;
    }
    onRefused(problem);
    // Whoever may not come in at all is not to send a thousand more.
    if (problem === notAllowed) void reply.header('connection', 'close');
    return isPage ? refusePage(reply, problem) : refuse(reply, problem);
  };
}

const textOf = (header: string | string[] | undefined): string | undefined => header?.toString();

/** A peer that has gone again has no ports, and no owner. Only peers at 127.0.0.1 and ::1 are looked up: a client's own choice. */
async function identify(socket: Socket, isUnixSocket: boolean, peers: Peers): Promise<Peer> {
  if (isUnixSocket) return { via: 'socket' };
  const { remoteAddress, remotePort, localAddress, localPort } = socket;
  const here =
    remoteAddress === '127.0.0.1' || remoteAddress === '::ffff:127.0.0.1' || remoteAddress === '::1';
  const known = here && remotePort !== undefined && localAddress !== undefined && localPort !== undefined;
  if (!known) return { via: 'tcp', uid: undefined };
  const asked = [
    { address: localAddress, port: localPort },
    { address: remoteAddress, port: remotePort },
    () => !socket.destroyed,
  ] as const;
  // The kernel's table changes while it is read, so that a row may be missed.
  return { via: 'tcp', uid: (await peers.uidOf(...asked)) ?? (await peers.uidOf(...asked)) };
}
