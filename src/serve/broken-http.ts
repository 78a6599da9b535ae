/** What is answered to bytes that are no HTTP, before there is a request: in the same form as every other refusal. */
import {
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
  STATUS_CODES,
} from 'node:http';
import type { Duplex } from 'node:stream';
import { fewAtOnce } from './pipelining.ts';
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

interface Answers {
  /** To the last request of the connection. */
  last: ServerResponse;
  readonly underWay: Set<ServerResponse>;
}

const answersOf = new WeakMap<Duplex, Answers>();

/**
 * A listener of `clientError`. Requests that came whole before the broken one are answered first, each its own. The
 * connection ends with it: nobody knows where the next request would begin.
 */
export function refuseBytes(error: NodeJS.ErrnoException, socket: Duplex): void {
  void refuseInTurn(error, socket, answersOf.get(socket));
}

async function refuseInTurn(
  { code = '' }: NodeJS.ErrnoException,
  socket: Duplex,
  answers: Answers | undefined,
): Promise<void> {
  const before = [...(answers?.underWay ?? [])].filter(({ req }) => req.complete);
  // Where the client has gone, they are closed as well.
  await Promise.all(before.map(untilClosed));
  // The rest of a request that has its answer already, or a part of it.
  const isAnswered = answers?.last.headersSent === true && !answers.last.req.complete;
  if (socket.writable && code !== 'ECONNRESET' && !isAnswered) refuseNow(known[code] ?? broken, socket);
  else socket.destroy();
}

/** Never rejects, as `once` does for an answer that fails. */
const untilClosed = (answer: ServerResponse): Promise<void> =>
  new Promise((resolve) => answer.once('close', resolve));

function refuseNow(problem: Problem, socket: Duplex): void {
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
  server.on('request', ({ socket }: IncomingMessage, answer: ServerResponse) => {
    const answers = answersOf.get(socket) ?? { last: answer, underWay: new Set() };
    answers.last = answer;
    answers.underWay.add(answer);
    answersOf.set(socket, answers);
    answer.once('close', () => answers.underWay.delete(answer));
  });
  const refuseExpectation: RequestListener = (_request, response) => {
    const body = JSON.stringify(problemBody(unexpected));
    response.writeHead(unexpected.status, {
      'content-type': 'application/json; charset=utf-8',
      'content-length': Buffer.byteLength(body),
      connection: 'close',
    });
    response.end(body);
  };
  server.on('checkExpectation', fewAtOnce(refuseExpectation));
}
