/**
 * Bodies of requests that go on to a model server: held in memory, because the model that they name decides where they go,
 * and because they may have to be sent again. So what is held is counted, and who comes when it is too much is refused.
 */
import type { IncomingMessage } from 'node:http';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { type Problem, refusal } from '../problem.ts';

/** Prompts with pictures are large; parsing 64 MiB keeps the event loop for some 100 ms. */
const mostBytes = 64 * 2 ** 20;

/** Of one request: what it holds, until its answer is out. */
export interface Hold {
  /** @returns false: there is no room for it */
  take(bytes: number): boolean;
  /** Whether there is room or not: it is there already. */
  add(bytes: number): void;
  readonly release: () => void;
}

export interface Budget {
  open(): Hold;
  held(): number;
  hasRoomFor(bytes: number): boolean;
}

/** @param most bytes that all requests together hold */
export function makeBudget(most: number): Budget {
  let held = 0;
  return {
    held: () => held,
    hasRoomFor: (bytes) => held + bytes <= most,
    open: () => {
      let mine = 0;
      let isOver = false;
      const add = (bytes: number): void => {
        if (isOver) return;
        mine += bytes;
        held += bytes;
      };
      return {
        add,
        take: (bytes) => {
          if (isOver || held + bytes > most) return false;
          add(bytes);
          return true;
        },
        release: () => {
          held -= mine;
          mine = 0;
          isOver = true;
        },
      };
    },
  };
}

/**
 * Every type is read as the bytes that came: Ollama reads JSON whatever the header says, and the examples of its own pages
 * send none, which curl makes a form. Pages of a browser are kept out by their Origin (see who-may).
 *
 * @returns what a request holds; released when its reply is closed
 */
export function readHeldBodies(scope: FastifyInstance, budget: Budget): (reply: FastifyReply) => Hold {
  const holds = new WeakMap<IncomingMessage, Hold>();
  scope.removeAllContentTypeParsers();
  scope.addHook('preParsing', async ({ raw, headers }, reply) => {
    const hold = budget.open();
    holds.set(raw, hold);
    if (reply.raw.destroyed) hold.release();
    else reply.raw.once('close', hold.release);
    // Said before the client sends what nobody will read. What counts is what comes: a length is easily told.
    const length = Number(headers['content-length'] ?? 0);
    if (length > mostBytes) throw refusal(tooLarge);
    if (!budget.hasRoomFor(length)) throw refusal(tooMuchHeld);
  });
  scope.addContentTypeParser('*', async (request: { raw: IncomingMessage }, payload: IncomingMessage) => {
    const hold = holds.get(request.raw);
    const pieces: Buffer[] = [];
    let bytes = 0;
    for await (const piece of payload as AsyncIterable<Buffer>) {
      bytes += piece.length;
      if (bytes > mostBytes) throw refusal(tooLarge);
      if (hold?.take(piece.length) === false) throw refusal(tooMuchHeld);
      pieces.push(piece);
    }
    return Buffer.concat(pieces);
  });
  return ({ request }) => holds.get(request.raw) ?? budget.open();
}

const tooLarge: Problem = {
  status: 413,
  code: 'too-large',
  message: `Cannot take the request: its body has more than ${mostBytes / 2 ** 20} MiB, less is wanted`,
  hint: 'Send fewer texts or smaller pictures in one request',
};

const tooMuchHeld: Problem = {
  status: 429,
  code: 'busy',
  message: 'Cannot take the request: those that wait already hold all the memory there is for them',
  hint: 'Ask again when some of them are answered',
  retryAfterSeconds: 5,
};
