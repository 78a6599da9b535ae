/**
 * The embedded engine: a program that speaks Ollama's HTTP API without a model, for dry runs and tests. Like
 * `ollama serve` it takes its address from OLLAMA_HOST, ends with 1 when the port is taken and with 0 on TERM.
 */
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { messageOf } from '../../errors.ts';
import { leaveWithParent } from '../leave-with-parent.ts';
import { answerTo, version } from './answers.ts';

const maxBodyBytes = 64 * 2 ** 20;

const [, hostname = '127.0.0.1', port = '0'] = /^(.*):(\d+)$/.exec(process.env['OLLAMA_HOST'] ?? '') ?? [];

const server = createServer((request, response) => {
  handle(request, response).catch((error: unknown) => {
    if (!response.headersSent) response.writeHead(400, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ error: messageOf(error) }));
  });
});

async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await readBody(request);
  const { pathname } = new URL(request.url ?? '/', 'http://localhost');
  const answer = answerTo(request.method ?? 'GET', pathname, body === '' ? {} : JSON.parse(body));
  if ('json' in answer) {
    response.writeHead(answer.status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(answer.json));
    return;
  }
  response.writeHead(200, { 'content-type': 'application/x-ndjson' });
  for (const line of answer.lines) response.write(`${JSON.stringify(line)}\n`);
  response.end();
}

async function readBody(request: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of request as AsyncIterable<Buffer>) {
    bytes += piece.length;
    if (bytes > maxBodyBytes) throw new Error(`request body larger than ${maxBodyBytes} bytes`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString();
}

// The disk under its log may be full: without a listener the first line of it ends the process.
process.stderr.on('error', () => undefined);
server.on('error', (error: NodeJS.ErrnoException) => {
  const reason = error.code === 'EADDRINUSE' ? 'bind: address already in use' : error.message;
  process.stderr.write(`Error: listen tcp ${hostname}:${port}: ${reason}\n`);
  process.exitCode = 1;
});
server.listen(Number(port), hostname, () => {
  process.stderr.write(`msg="Listening on ${hostname}:${port} (version ${version})"\n`);
});

const leave = (): void => {
  server.close();
  server.closeAllConnections();
};
process.on('SIGTERM', leave);
process.on('SIGINT', leave);
leaveWithParent();
