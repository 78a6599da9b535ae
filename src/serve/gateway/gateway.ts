/**
 * Requests to the model servers of this job, for who asks them in their own language: to the instance that has the least to do,
 * or that knows the conversation; again, elsewhere or after a restart, as long as nothing of an answer was passed on.
 */
import type { FastifyReply } from 'fastify';
import { messageOf } from '../../errors.ts';
import { openConnections, type Connections } from '../../models/address.ts';
import { setbackOf } from '../../models/ollama-errors.ts';
import { nextTry, noSetbacks, pause, turnOf } from '../../models/patience.ts';
import { goneSignal } from '../client-gone.ts';
import { type Problem, refusal } from '../problem.ts';
import type { Budget } from './held-bodies.ts';
import { outletBounds, type OutletBounds } from './outlet.ts';
import { passOn, type Question } from './pass-on.ts';
import { type Instances, makePlaces, type PlaceFigures, placeLimits, type PlaceLimits } from './places.ts';
import { makeQuarantine } from './quarantine.ts';

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
        const end = await passOn(question, to, reply).catch((error: unknown) => {
          // Who leaves breaks the connection himself.
          if (!gone.aborted && setbackOf(error) === 'died') place.flight.brokeOff();
          throw error;
        });
        if (end === 'died') place.flight.brokeOff();
        if (end === 'whole') done.answered += 1;
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
