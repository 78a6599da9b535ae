/** A server in a network of its own: how it is started and where it is reached. */
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { RagError } from '../errors.ts';
import { unixAddress } from '../models/address.ts';
import { siblingPath } from '../sibling.ts';
import type { Launch } from '../supervise/spec.ts';
import type { FoundService } from './find-service.ts';

/** Nobody else is there. */
export const privatePort = 11_434;

/** The kernel's limit. */
const maxPathBytes = 107;
const program = siblingPath(import.meta.url, 'private-server');
const relay = siblingPath(import.meta.url, 'remote/relay');

/**
 * A path of its own for every launch: at an old one nobody answers any more, so that it cannot be mistaken.
 *
 * @param home a folder that only its owner may enter: that is the whole protection of the socket
 * @throws preflight when the path is too long for a socket
 */
export async function nextSocket(home: string, launches: number): Promise<string> {
  const at = (launch: number): string => path.join(home, `${launch}.sock`);
  const socket = at(launches);
  if (Buffer.byteLength(socket) > maxPathBytes) {
    const is = `${socket} has ${Buffer.byteLength(socket)} bytes`;
    throw new RagError(
      'preflight',
      `Cannot make a socket for a model server: ${is}, at most ${maxPathBytes} are wanted`,
      { hint: 'export TMPDIR=/tmp   # or another short path on a local disk' },
    );
  }
  // After SIGKILL it is still there.
  await rm(at(launches - 1), { force: true });
  return socket;
}

export const privateCommand = (socket: string, command: readonly string[]): Launch['command'] => [
  process.execPath,
  program,
  socket,
  String(privatePort),
  '--',
  ...command,
];

/** The way to a server that runs elsewhere. */
export const relayCommand = (socket: string): Launch['command'] => [process.execPath, relay, socket];

/** Not arguments, which everybody on the node can read: a URL may carry a token. */
export const relayEnv = ({ url, tokenFile }: FoundService): Launch['env'] => ({
  RAG_RELAY_URL: url,
  RAG_RELAY_TOKEN_FILE: tokenFile ?? '',
});

/** Where a model server of this launch is reached. */
export function addressOf({ command, env }: Launch): string {
  const [, started, socket = ''] = command;
  return started === program || started === relay
    ? unixAddress(socket)
    : `http://${env['OLLAMA_HOST'] ?? ''}`;
}
