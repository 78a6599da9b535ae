/** What is answered to bytes that are no HTTP, before there is a request: in the same form as every other refusal. */
import { type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { type Problem, problemBody } from './problem.ts';

/** Of Node's parser and timers; everything else is a request that cannot be read. */
const known: Readonly<Record<string, Omit<Problem, 'hint'>>> = {
  HPE_HEADER_OVERFLOW: {
    status: 431,
    code: 'too-large',
    message: 'Cannot read the request: its head is too large, at most 16 KiB are wanted',
  },
  HPE_CHUNK_EXTENSIONS_OVERFLOW: {
    status: 413,
    code: 'too-large',
    message: 'Cannot read the request: the extensions of its chunks are too large, none are wanted',
  },
  ERR_HTTP_REQUEST_TIMEOUT: {
    status: 408,
    code: 'bad-request',
    message: 'Cannot wait for the rest of the request: it came too slowly, a whole one is wanted',
  },
};

const broken: Problem = {
  status: 400,
  code: 'bad-request',
  message: 'Cannot read the request: it is no HTTP/1.1, or ends too early, a whole one is wanted',
};

/** The last answer of each connection. */
const answers = new WeakMap<Duplex, ServerResponse>();

/** Nothing of another answer may come behind one that has begun, nor behind one to a question that never came to its end. */
const isAnswered = (socket: Duplex): boolean => {
  const last = answers.get(socket);
  return last?.headersSent === true && !(last.writableFinished && last.req.complete);
};

/** A listener of `clientError`. The connection ends with it: nobody knows where the next request would begin. */
export function refuseBytes(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable || error.code === 'ECONNRESET' || isAnswered(socket)) {
    socket.destroy();
    return;
  }
  const problem = known[error.code ?? ''] ?? broken;
  const body = JSON.stringify(problemBody(problem));
  socket.end(
    [
      `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? ''}`,
      'Content-Type: application/json; charset=utf-8',
      `Content-Length: ${Buffer.byteLength(body)}`,
      'Connection: close',
      '',
      body,
    ].join('\r\n'),
    () => socket.destroy(),
  );
}

const unexpected: Problem = {
  status: 417,
  code: 'bad-request',
  message: 'Cannot do what the request expects: only Expect: 100-continue is known',
};

/** For each server of the endpoint. Its `clientError` is `refuseBytes`. */
export function refuseBrokenHttp(server: Server): void {
  server.on('request', (request: IncomingMessage, response: ServerResponse) =>
    answers.set(request.socket, response),
  );
  server.on('checkExpectation', (_request: IncomingMessage, response: ServerResponse) => {
    const body = JSON.stringify(problemBody(unexpected));
    response.writeHead(unexpected.status, {
      'content-type': 'application/json; charset=utf-8',
      'content-length': Buffer.byteLength(body),
      connection: 'close',
    });
    response.end(body);
  });
}
