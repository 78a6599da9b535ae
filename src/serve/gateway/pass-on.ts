/**
 * One answer of a model server on its way to the client: until its first piece is passed on, whatever goes wrong is thrown and
 * can be tried again; afterwards it is told to the client.
 */
import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyReply } from 'fastify';
import { codeOf, messageOf } from '../../errors.ts';
import type { Connections } from '../../models/address.ts';
import {
  answerError,
  connectionError,
  errorText,
  setbackOf,
  unfinished,
} from '../../models/ollama-errors.ts';
import type { Role } from '../../models/types.ts';
import type { Problem } from '../problem.ts';
import { type AnswerForm, typeOf } from './answer-form.ts';
import type { Beginning } from './conversations.ts';
import type { Hold } from './held-bodies.ts';
import { openOutlet, type OutletBounds } from './outlet.ts';
import type { Place } from './places.ts';

export interface Question {
  readonly role: Role;
  /** As the client names it. */
  readonly model: string;
  /** At the model server. */
  readonly path: string;
  readonly body: Buffer;
  /** In the measure of `models/load`. */
  readonly work: number;
  readonly beginnings: readonly Beginning[];
  readonly caller: string;
  readonly form: AnswerForm;
  readonly hold: Hold;
}

/** An error is a sentence. */
const mostErrorBytes = 2 ** 20;

export interface Passage {
  readonly connections: Connections;
  readonly place: Place;
  readonly gone: AbortSignal;
  readonly bounds: OutletBounds;
  /** From the request until it is sent on. */
  readonly queueMs: number;
}

/** How an answer ended. `died`: its server did in the middle of it. `cut`: for whatever else, a client that left too. */
export type AnswerEnd = 'whole' | 'died' | 'cut';

/** @throws what went wrong before the first piece of the answer was passed on; afterwards it is told to the client */
export async function passOn(question: Question, to: Passage, reply: FastifyReply): Promise<AnswerEnd> {
  const { path, body, model, form } = question;
  const { instance, flight } = to.place;
  const { origin, dispatcher } = to.connections.to(instance.url);
  const signal = AbortSignal.any([to.gone, flight.signal]);
  const from = { 'x-served-by': instance.id, 'x-queue-ms': to.queueMs.toFixed(1) };
  const failure = (error: unknown): unknown =>
    flight.signal.aborted
      ? flight.signal.reason
      : codeOf(error) === undefined
        ? connectionError(instance.url, error)
        : error;
  const answer = await dispatcher
    .request({ origin, path, method: 'POST', body, headers: { 'content-type': 'application/json' }, signal })
    .catch((error: unknown) => {
      throw failure(error);
    });
  // Who stops reading is told so by an event that nobody waits for.
  answer.body.on('error', () => undefined);
  const type = headerOf(answer.headers, 'content-type') ?? 'application/json';
  try {
    if (answer.statusCode !== 200) {
      const said = await textOf(answer.body);
      flight.heard('refusal');
      const error = answerError(model, answer.statusCode, errorText(said));
      if (setbackOf(error) !== undefined) throw error;
      const shown = form.refused(answer.statusCode, errorText(said));
      void reply
        .code(answer.statusCode)
        .headers(from)
        .type(shown === undefined ? typeOf(type) : json)
        .send(shown ?? said);
      return 'whole';
    }
    const heard = async function* (): AsyncGenerator<Buffer, void> {
      let isFirst = true;
      for await (const piece of answer.body as AsyncIterable<Buffer>) {
        flight.heard('answer');
        // Of the server's own pieces: the form may give one to the client only when it has them all.
        if (isFirst) to.place.begins();
        isFirst = false;
        yield piece;
      }
    };
    const headers = {
      ...form.headers({ type, length: headerOf(answer.headers, 'content-length') }),
      ...from,
    };
    const pieces = form.pieces(whole(model, heard()))[Symbol.asyncIterator]();
    const first = await pieces.next();
    return await deliver(question, { first, pieces, headers, failure }, to, reply);
  } catch (error) {
    throw failure(error);
  } finally {
    answer.body.destroy();
  }
}

const json = 'application/json; charset=utf-8';

interface Begun {
  readonly first: IteratorResult<Uint8Array | string, unknown>;
  readonly pieces: AsyncIterator<Uint8Array | string, unknown>;
  readonly headers: Readonly<Record<string, string>>;
  readonly failure: (error: unknown) => unknown;
}

/** From here on nothing can be done again. Never throws. */
async function deliver(
  { form, hold }: Question,
  { first, pieces, headers, failure }: Begun,
  { gone, bounds }: Passage,
  reply: FastifyReply,
): Promise<AnswerEnd> {
  using outlet = openOutlet(reply, headers, gone, bounds);
  try {
    let isSlow = false;
    for (let piece = first; piece.done !== true; piece = await pieces.next()) {
      const taken = outlet.write(piece.value);
      if (taken === undefined) continue;
      if (!isSlow) hold.add(bounds.waitingBytes);
      isSlow = true;
      await taken;
    }
    outlet.end();
    return gone.aborted ? 'cut' : 'whole';
  } catch (error) {
    const cause = failure(error);
    const last = gone.aborted ? undefined : form.broken(brokenOff(cause));
    if (last === undefined) outlet.cut();
    else {
      outlet.write(last)?.catch(() => undefined);
      outlet.end();
    }
    return !gone.aborted && setbackOf(cause) === 'died' ? 'died' : 'cut';
  } finally {
    await pieces.return?.();
  }
}

/** The bytes of an answer, once it is one: status 200 comes before the model has said anything. */
async function* whole(model: string, body: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void> {
  let isEmpty = true;
  for await (const piece of body) {
    if (isEmpty && piece.subarray(0, errorLine.length).equals(errorLine))
      throw answerError(model, 500, errorText(piece.toString()));
    isEmpty = false;
    yield piece;
  }
  if (isEmpty) throw unfinished('the answer is empty');
}

/** What Ollama writes in the place of an answer when its runner ends. */
const errorLine = Buffer.from('{"error":');

const headerOf = (headers: IncomingHttpHeaders, name: string): string | undefined =>
  headers[name]?.toString();

async function textOf(body: AsyncIterable<Buffer>): Promise<string> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of body) {
    bytes += piece.length;
    if (bytes > mostErrorBytes) break;
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString();
}

const brokenOff = (error: unknown): Problem => ({
  status: 502,
  code: 'model-unavailable',
  message: `Cannot go on with this answer, a whole one is wanted: ${messageOf(error)}`,
  hint: 'Ask again: what was said so far is not the whole answer',
});
