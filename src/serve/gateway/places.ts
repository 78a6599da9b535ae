/**
 * Places at the instances: who may send a request now, and to which of them. A request that finds none waits in line; one whose
 * client leaves goes out of it.
 */
import { RagError } from '../../errors.ts';
import type { Flight, Flights, Turn } from '../../models/flights.ts';
import type { LiveInstance, Role } from '../../models/types.ts';
import { type Beginning, makeConversations } from './conversations.ts';
import { makeDownSince, patienceLeft } from './down-since.ts';
import { type Candidate, chooseInstance, openTo } from './least-work.ts';
import { makeLine, type Line } from './line.ts';
import { type Problem, refusal } from '../problem.ts';
import { makeSentBook, type Sent } from './sent.ts';

export interface Instances {
  /** Those that are live. */
  readonly instances: (role: Role) => readonly LiveInstance[];
  /** Told each time that one came or went. Returns what removes the listener. */
  readonly onChange: (listener: () => void) => () => void;
  /** What is under way to them: who watches a server counts these requests, and ends them with the others. */
  readonly flights: Flights;
}

export interface PlaceLimits {
  /** Requests that an instance is given at once, at most: see `width.ts`. */
  readonly width: Readonly<Record<Role, number>>;
  /** Whether an instance is one server, so that its answers show how much of that it works on at once. */
  readonly learnsWidth: boolean;
  /** Requests that wait for a role, at most; the next is refused. */
  readonly waiting: number;
  /** How long a request waits while no instance of its role is up. */
  readonly patienceMs: number;
}

/** An embedder works on one text at a time, in every version, and the next is there when it is done; a queue of 512 is Ollama's own. */
export const placeLimits: PlaceLimits = {
  width: { generate: 64, embed: 2 },
  learnsWidth: true,
  waiting: 512,
  patienceMs: 60_000,
};

export interface Wanted {
  readonly role: Role;
  /** Whose turn it is: see `line.ts`. */
  readonly caller: string;
  /** In the measure of `models/load`. */
  readonly work: number;
  readonly turn: Turn;
  /** Of the conversation, the longest first; none: it is none. */
  readonly beginnings: readonly Beginning[];
  /** It was sent before, and this instance failed it: it goes to the front. */
  readonly failedAt: string | undefined;
}

/** Disposing it gives the place to the next. */
export interface Place extends Disposable {
  readonly instance: LiveInstance;
  readonly flight: Flight;
  /** The answer begins. */
  begins(): void;
}

export interface Places {
  /** @throws aborted; what `Flights.begin` throws; a refusal when too many wait, or nothing is up for too long */
  enter(wanted: Wanted, signal: AbortSignal): Promise<Place>;
  figures(): PlaceFigures;
  close(): void;
}

export interface PlaceFigures {
  readonly waiting: Readonly<Record<Role, number>>;
  /** `at_once`: how many of its requests each is given. */
  readonly instances: readonly {
    readonly id: string;
    readonly under_way: number;
    readonly at_once: number;
  }[];
}

interface Waiter extends Wanted {
  readonly signal: AbortSignal;
  go(place: Promise<Place>): void;
  refuse(error: Error): void;
}

const roles: readonly Role[] = ['generate', 'embed'];

export function makePlaces(upstream: Instances, limits: PlaceLimits): Places {
  const { instances, flights } = upstream;
  const lines: Record<Role, Line<Waiter>> = {
    embed: makeLine(limits.waiting),
    generate: makeLine(limits.waiting),
  };
  const conversations = makeConversations();
  const downSince = makeDownSince(instances);
  const sent = makeSentBook(limits.width, limits.learnsWidth);
  let turns = 0;

  /** Gives places to who waits, as long as there are any. */
  const admit = (role: Role): void => {
    for (;;) {
      const live = instances(role);
      const candidates = live.map(({ id, url }): Candidate => {
        return { id, ...flights.load(url), hasRoom: sent.to(role, url).hasRoom() };
      });
      const waiter = openTo(candidates).length > 0 ? lines[role].next() : undefined;
      if (waiter === undefined) return;
      const kept = conversations.find(waiter.beginnings);
      const id = chooseInstance(candidates, { ...waiter, kept }, (turns += 1));
      const instance = live.find((each) => each.id === id);
      if (instance === undefined) return;
      conversations.keep(waiter.beginnings, instance.id);
      const change = (): void => admit(role);
      waiter.go(take({ waiter, instance, flights, sent: sent.to(role, instance.url).send(), change }));
    }
  };

  const stopListening = upstream.onChange(() => {
    downSince.look();
    sent.keepOnly(roles.flatMap((role) => instances(role).map(({ url }) => url)));
    roles.forEach(admit);
  });

  return {
    enter: async (wanted, signal) => {
      const downMs = (): number => downSince.downMs(wanted.role);
      const place = untilTurn(lines[wanted.role], wanted, signal, { ...limits, downMs });
      admit(wanted.role);
      return await place;
    },
    figures: () => ({
      waiting: { generate: lines.generate.size, embed: lines.embed.size },
      instances: roles.flatMap((role) =>
        instances(role).map(({ id, url }) => {
          const to = sent.to(role, url);
          return { id, under_way: to.underWay(), at_once: to.width() };
        }),
      ),
    }),
    close: stopListening,
  };
}

interface Taking {
  readonly waiter: Waiter;
  readonly instance: LiveInstance;
  readonly flights: Flights;
  readonly sent: Sent;
  /** Called whenever there may be room for others. */
  readonly change: () => void;
}

/** Begins at once, so that the next to choose sees its work there. */
async function take({ waiter, instance, flights, sent, change }: Taking): Promise<Place> {
  const leave = (): void => {
    sent[Symbol.dispose]();
    change();
  };
  const begun = flights.begin(instance.url, waiter.turn, waiter.signal, waiter.work);
  const flight = await begun.catch((error: unknown) => {
    leave();
    throw error;
  });
  return {
    instance,
    flight,
    begins: () => {
      sent.begins();
      change();
    },
    [Symbol.dispose]: () => {
      flight[Symbol.dispose]();
      leave();
    },
  };
}

type Patience = Pick<PlaceLimits, 'waiting' | 'patienceMs'> & { readonly downMs: () => number };

/** Puts it in line, until it is told to go. */
function untilTurn(
  line: Line<Waiter>,
  wanted: Wanted,
  signal: AbortSignal,
  { waiting, patienceMs, downMs }: Patience,
): Promise<Place> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) throw cancelled(signal);
    const leave = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
    };
    const waiter: Waiter = {
      ...wanted,
      signal,
      go: (place) => {
        leave();
        resolve(place);
      },
      refuse: (error) => {
        line.remove(wanted.caller, waiter);
        leave();
        reject(error);
      },
    };
    const abort = (): void => waiter.refuse(cancelled(signal));
    signal.addEventListener('abort', abort, { once: true });
    // Where an instance is up, it is the client who decides how long he waits.
    let timer: NodeJS.Timeout;
    const cameAt = performance.now();
    const look = (): void => {
      const leftMs = patienceLeft(patienceMs, downMs(), performance.now() - cameAt);
      if (leftMs <= 0) waiter.refuse(refusal(noneIsUp(wanted.role)));
      else timer = setTimeout(look, Math.ceil(leftMs));
    };
    timer = setTimeout(look, patienceMs);
    if (wanted.failedAt === undefined) line.add(wanted.caller, waiter)?.refuse(refusal(tooMany(waiting)));
    else line.putBack(wanted.caller, waiter);
  });
}

const cancelled = (signal: AbortSignal): RagError =>
  new RagError('aborted', 'Cannot wait for a model server: the wait was cancelled', { cause: signal.reason });

const tooMany = (waiting: number): Problem => ({
  status: 429,
  code: 'busy',
  message: `Cannot take the request: ${waiting} others wait for a model server already, fewer are wanted`,
  hint: 'Ask again when some of them are answered',
  retryAfterSeconds: 5,
});

const noneIsUp = (role: Role): Problem => ({
  status: 503,
  code: 'model-unavailable',
  message: `Cannot ask the model server: none that can ${role} is up, a ready one is wanted`,
  hint: 'Ask /readyz what is missing; a restart takes as long as loading the model',
  retryAfterSeconds: 30,
});
