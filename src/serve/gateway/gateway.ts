/**
 * Requests to the model servers of this job, for who asks them in their own language: to the instance that has the least to do,
 * or that knows the conversation; again, elsewhere or after a restart, as long as nothing of an answer was passed on.
 */
import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyReply } from 'fastify';
import { codeOf, messageOf } from '../../errors.ts';
import { openConnections, type Connections } from '../../models/address.ts';
import {
  answerError,
  connectionError,
  errorText,
  setbackOf,
  unfinished,
} from '../../models/ollama-errors.ts';
import { nextTry, noSetbacks, pause, turnOf } from '../../models/patience.ts';
import type { Role } from '../../models/types.ts';
import type { AnswerForm } from './answer-form.ts';
import { goneSignal } from '../client-gone.ts';
import type { Beginning } from './conversations.ts';
import type { Budget, Hold } from './held-bodies.ts';
import { openOutlet, outletBounds, type OutletBounds } from './outlet.ts';
import {
  type Instances,
  makePlaces,
  type Place,
  type PlaceFigures,
  placeLimits,
  type PlaceLimits,
} from './places.ts';
import { type Problem, refusal } from '../problem.ts';
import { makeQuarantine } from './quarantine.ts';

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

export interface GatewayFigures extends PlaceFigures {
  /** Requests answered, sent again, and refused because they had ended a server twice; since the start. */
  readonly answered: number;
  readonly sent_again: number;
  readonly quarantined: number;
  /** Of requests that wait or are under way, and of answers that wait for slow clients. */
  readonly held_bytes: number;
}

/** Disposing it cuts what is under way. */
export interface Gateway extends AsyncDisposable {
  /** @throws a refusal; only before anything was passed on */
  ask(question: Question, reply: FastifyReply): Promise<FastifyReply>;
  figures(): GatewayFigures;
  /** For questions about the servers, which wait for nobody. */
  readonly connections: Connections;
}

export interface GatewayLimits {
  readonly places?: Partial<PlaceLimits>;
  readonly outlet?: OutletBounds;
}

/** Loading a model takes longer than undici's own limits (300 s each); the client's patience is the limit. */
const open = (): Connections => openConnections({ headersTimeout: 0, bodyTimeout: 0 });

/** An error is a sentence. */
const mostErrorBytes = 2 ** 20;

export function openGateway(
  upstream: Instances,
  budget: Pick<Budget, 'held'>,
  limits: GatewayLimits = {},
): Gateway {
  const connections = open();
  const places = makePlaces(upstream, { ...placeLimits, ...limits.places });
  const quarantine = makeQuarantine();
  const bounds = limits.outlet ?? outletBounds;
  const done = { answered: 0, sent_again: 0, quarantined: 0 };

  const ask = async (question: Question, reply: FastifyReply): Promise<FastifyReply> => {
    const { path, body } = question;
    const gone = goneSignal(reply);
    const askedAt = performance.now();
    if (quarantine.has(path, body)) {
      done.quarantined += 1;
      throw refusal(endedServers);
    }
    let tally = noSetbacks;
    let failedAt: string | undefined;
    for (;;) {
      try {
        using place = await places.enter({ ...question, turn: turnOf(tally), failedAt }, gone);
        failedAt = place.instance.id;
        const to = { connections, place, gone, bounds, queueMs: performance.now() - askedAt };
        await passOn(question, to, reply);
        done.answered += 1;
        return reply;
      } catch (error) {
        // Nobody is there any more to be told anything.
        if (gone.aborted) return reply.hijack();
        const next = nextTry(tally, error);
        if (next === null) {
          if (setbackOf(error) === 'died') quarantine.add(path, body);
          throw asRefusal(error);
        }
        tally = next.tally;
        done.sent_again += 1;
        await pause(next.waitMs, gone).catch(() => undefined);
      }
    }
  };

  return {
    ask,
    connections,
    figures: () => ({ ...places.figures(), ...done, held_bytes: budget.held() }),
    async [Symbol.asyncDispose]() {
      places.close();
      await connections[Symbol.asyncDispose]();
    },
  };
}

interface Passage {
  readonly connections: Connections;
  readonly place: Place;
  readonly gone: AbortSignal;
  readonly bounds: OutletBounds;
  /** From the request until it is sent on. */
  readonly queueMs: number;
}

/** @throws what went wrong before the first piece of the answer was passed on; afterwards it is told to the client */
async function passOn(question: Question, to: Passage, reply: FastifyReply): Promise<void> {
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
        .type(shown === undefined ? type : json)
        .send(shown ?? said);
      return;
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
    await deliver(question, { first, pieces, headers, failure }, to, reply);
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
): Promise<void> {
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
  } catch (error) {
    const last = gone.aborted ? undefined : form.broken(brokenOff(failure(error)));
    if (last === undefined) return outlet.cut();
    outlet.write(last)?.catch(() => undefined);
    outlet.end();
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

/** Told as what it is for the client: to ask again or not to. */
function asRefusal(error: unknown): unknown {
  const setback = setbackOf(error);
  if (setback === undefined) return error;
  if (setback === 'died')
    return refusal({ ...endedServers, message: `${endedServers.message}; ${messageOf(error)}` });
  return refusal({
    status: 503,
    code: 'model-unavailable',
    message: messageOf(error),
    hint: 'Ask /readyz when it is',
    retryAfterSeconds: 30,
  });
}

/**
 * 400: libraries send everything above again by themselves. `has terminated` is what Ollama says, too: a supervisor of
 * another job, which sent many texts in one request, looks for the one that is to blame.
 */
const endedServers: Problem = {
  status: 400,
  code: 'model-refused',
  message:
    'Cannot answer: the model server has terminated twice during this request, one that it survives is wanted',
  hint: 'Change it, or try it again in ten minutes: until then it is refused unseen',
};

const brokenOff = (error: unknown): Problem => ({
  status: 502,
  code: 'model-unavailable',
  message: `Cannot go on with this answer, a whole one is wanted: ${messageOf(error)}`,
  hint: 'Ask again: what was said so far is not the whole answer',
});
