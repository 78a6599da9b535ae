/**
 * The way to a model server that runs elsewhere: `relay SOCKET`, with RAG_RELAY_URL and perhaps RAG_RELAY_TOKEN_FILE in
 * its environment (a URL may carry a token, and everybody on the node reads arguments). What connects to the Unix socket
 * talks to that server, with the token that it wants. So the rest of the program knows such a server by a socket in a folder of
 * its own, as it knows its own servers; and nobody else on this node can use the token.
 */
import { chmodSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { Agent } from 'undici';
import { codeOf, messageOf } from '../../errors.ts';
import { leaveWithParent } from '../leave-with-parent.ts';
import { provenConnector } from '../proven-connection.ts';

const [socketPath = ''] = process.argv.slice(2);
const { RAG_RELAY_URL: url = '', RAG_RELAY_TOKEN_FILE: tokenFile = '' } = process.env;
const { origin, pathname } = new URL(url);
const base = pathname === '/' ? '' : pathname;
const token = tokenFile === '' ? undefined : readFileSync(tokenFile, 'utf8').trim();

/** Loading a model takes longer than undici's own limits (300 s each): who waits decides for how long. */
const agent = new Agent({
  headersTimeout: 0,
  bodyTimeout: 0,
  connect: token === undefined ? { timeout: 10_000 } : provenConnector(token),
});

let hasAnswered = false;

async function relay(asked: IncomingMessage, reply: ServerResponse): Promise<void> {
  const gone = new AbortController();
  reply.on('close', () => gone.abort());
  const { method = 'GET', headers } = asked;
  const answer = await agent.request({
    origin,
    path: `${base}${asked.url ?? '/'}`,
    method,
    headers: {
      'content-type': headers['content-type'] ?? 'application/json',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    body: method === 'POST' ? asked : null,
    signal: gone.signal,
  });
  hasAnswered = true;
  const { 'content-type': type = 'application/json', 'retry-after': later } = answer.headers;
  reply.writeHead(answer.statusCode, {
    'content-type': String(type),
    ...(later !== undefined && { 'retry-after': String(later) }),
  });
  await pipeline(answer.body, reply);
}

const isRefused = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ECONNREFUSED';

/** It was there and listens no more, or another has its port: whoever started us looks where its successor is. */
function endWithout(error: unknown): never {
  process.stderr.write(`The model server at ${origin} is gone: ${messageOf(error)}\n`);
  process.exit(1);
}

const server = createServer((asked, reply) => {
  relay(asked, reply).catch((error: unknown) => {
    if (codeOf(error) === 'forbidden' || (hasAnswered && isRefused(error))) endWithout(error);
    if (reply.headersSent) reply.destroy();
    else
      reply
        .writeHead(503, { 'content-type': 'application/json' })
        .end(JSON.stringify({ error: messageOf(error) }));
  });
});
process.stderr.on('error', () => undefined);
server.listen(socketPath, () => chmodSync(socketPath, 0o600));
process.on('exit', () => rmSync(socketPath, { force: true }));
process.on('SIGTERM', () => process.exit(0));
leaveWithParent();
