/**
 * Connections on which a token may be shown: the other end has proven, on this very connection, that it holds the token
 * too. A proof of an earlier one is worth nothing: the port may have passed to another program since.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { callbackify, promisify } from 'node:util';
import { buildConnector } from 'undici';
import { z } from 'zod';
import { nameOfEnd, proofOf } from '../disk/token-proof.ts';
import { RagError } from '../errors.ts';

const timeoutMs = 10_000;

/** `connect` of a client of undici. Its requests fail with `forbidden` where somebody else answers. */
export function provenConnector(token: string): buildConnector.connector {
  const connectTo = promisify(buildConnector({ timeout: timeoutMs, allowH2: false }));
  const connectProven = async (options: buildConnector.Options): Promise<Socket> => {
    // Its type knows a null for failures, which are thrown here.
    const socket = (await connectTo(options)) as Socket;
    try {
      if ((await proves(socket, token, AbortSignal.timeout(timeoutMs))) === 'proven') return socket;
      throw notProven(options);
    } catch (error) {
      socket.destroy();
      throw error;
    }
  };
  const connectBack = callbackify(connectProven);
  return (options, callback) =>
    connectBack(options, (error: Error | null, socket) =>
      error === null ? callback(null, socket) : callback(error, null),
    );
}

const notProven = ({ hostname, port }: buildConnector.Options): RagError =>
  new RagError(
    'forbidden',
    `Cannot use what answers at ${hostname}:${port}: it does not prove to be the service, who holds its token is wanted`,
  );

/** @throws what the connection says; the signal's reason */
export async function askForProof(
  url: string,
  token: string,
  signal: AbortSignal,
): Promise<'proven' | 'another'> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 80) });
  try {
    await once(socket, 'connect', { signal });
    return await proves(socket, token, signal);
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  } finally {
    socket.on('error', () => undefined).destroy();
  }
}

const answerSchema = z.object({ proof: z.string() });

async function proves(socket: Socket, token: string, signal: AbortSignal): Promise<'proven' | 'another'> {
  const nonce = randomBytes(16).toString('hex');
  const { remoteAddress = '', remotePort = 0 } = socket;
  const wanted = proofOf(token, nonce, nameOfEnd(remoteAddress, remotePort));
  socket.write(`GET /proof?nonce=${nonce} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  const body = await readAnswer(socket, signal);
  return answerSchema.safeParse(parse(body)).data?.proof === wanted ? 'proven' : 'another';
}

const maxAnswerBytes = 4096;

/** Our own endpoint answers in one piece of a known length. What does not, has an empty body here. */
async function readAnswer(socket: Socket, signal: AbortSignal): Promise<string> {
  const ended = new AbortController();
  const end = (): void => ended.abort(new Error('it ended the connection'));
  socket.once('close', end);
  if (socket.destroyed) end();
  const either = AbortSignal.any([signal, ended.signal]);
  try {
    let text = '';
    while (text.length <= maxAnswerBytes) {
      const body = bodyOf(text);
      if (body !== undefined) return body;
      await once(socket, 'readable', { signal: either });
      // Undici reads the same way: nothing flows off in between.
      text += ((socket.read() as Buffer | null) ?? '').toString('latin1');
    }
    return '';
  } catch (error) {
    throw either.aborted ? either.reason : error;
  } finally {
    socket.off('close', end);
  }
}

/** Undefined: more is to come. */
function bodyOf(text: string): string | undefined {
  const [, head, body = ''] = /^([^]*?)\r\n\r\n([^]*)$/.exec(text) ?? [];
  if (head === undefined) return undefined;
  const length = Number(/^HTTP\/1\.1 200 [^]*\r\ncontent-length: *(\d+)/i.exec(head)?.[1]);
  if (!(body.length < length)) return body.length === length ? body : '';
  return undefined;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
