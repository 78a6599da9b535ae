/**
 * Requests that a client sends before it has its answers. Everybody on the node may send some hundred thousand in a second, and
 * each becomes objects and an answer that waits until it is read: so few of a connection are open at once, whoever asks.
 */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

/** Programs that pipeline at all send a few at once. */
const mostOpen = 16;

const open = new WeakMap<Duplex, number>();

/** Counts it until it is answered. Ends the connection of who has too many. */
function isLetIn({ socket }: IncomingMessage, answer: ServerResponse): boolean {
  // What else was in the same read comes all the same.
  if (socket.destroyed) return false;
  const count = (open.get(socket) ?? 0) + 1;
  open.set(socket, count);
  answer.once('close', () => open.set(socket, (open.get(socket) ?? 1) - 1));
  if (count <= mostOpen) return true;
  stopParsing(socket);
  socket.destroy();
  return false;
}

/** What a parser is told of a request whose rest is of another protocol: it reads no further. */
const isUpgrade = 2;

/**
 * The rest of what was read, up to 64 KiB at once, would become thousands of requests all the same, of which each has an error
 * made for it when the connection ends. What Node's parser tells them to can be replaced; where that has another name some
 * day, only this is lost.
 */
function stopParsing(socket: object): void {
  const parser: unknown = 'parser' in socket ? socket.parser : undefined;
  if (typeof parser === 'object' && parser !== null && 'onIncoming' in parser)
    parser.onIncoming = () => isUpgrade;
}

/** Before everything else that a server does with a request. */
export const fewAtOnce =
  (listener: RequestListener): RequestListener =>
  (request, answer) => {
    if (isLetIn(request, answer)) listener(request, answer);
  };
