import { RagError } from '../errors.ts';
import { notTaken } from './ollama-errors.ts';

/**
 * `alone`: nothing else is under way to the server meanwhile. Only of a request that was alone can be said that
 * it was what ended or hung its server.
 */
export type Turn = 'shared' | 'alone';

/** A request to a model that a server has and has not finished. Disposing it says that it is over. */
export interface Flight extends Disposable {
  /** Aborted when the server is found stuck; the reason is the error to end with. */
  readonly signal: AbortSignal;
  /** Something came back: a piece of the answer, or a refusal, as of a request whose runner has crashed. */
  heard(what: 'answer' | 'refusal'): void;
  /**
   * Its answer broke off. For a moment nothing begins there: a server that ends closes its connections one after the other,
   * and a request that is sent on the next of them would be blamed for that end.
   */
  brokeOff(): void;
}

/** Until the other connections of a process that has ended are closed, too: microseconds; and somebody may have noticed. */
const restMs = 100;

/** What is under way to one server, and how often something came back from it since it was first asked. */
export interface Traffic {
  readonly inFlight: number;
  readonly heard: number;
  /** Those that were pieces of answers. */
  readonly served: number;
}

/** What a server still has to do, for who chooses between servers. */
export interface Load {
  readonly requests: number;
  /** Of all of them together; see `Flights.begin`. */
  readonly work: number;
  /** It is being cured: what is sent there waits for that. */
  readonly isGrounded: boolean;
}

/** While it stands nothing begins. Disposed without `lift`, those who wait are sent to look for another server. */
export interface Grounding extends Disposable {
  /** How many requests it has ended. */
  readonly ended: number;
  /** The server is well again. */
  lift(): void;
}

/** Every request to a model, by the url of its server. */
export interface Flights {
  /**
   * Waits for its turn, first come first served.
   * @param work of the request, in bytes that the model reads; what it writes in the same measure
   * @throws aborted, model-unavailable when the server is given up
   */
  begin(url: string, turn: Turn, signal: AbortSignal, work?: number): Promise<Flight>;
  traffic(url: string): Traffic;
  load(url: string): Load;
  /** Ends all that is under way to this server. @param reason the error that every one of them ends with */
  ground(url: string, reason: Error): Grounding;
}

interface Asked {
  readonly turn: Turn;
  readonly work: number;
}

interface Waiter extends Asked {
  go(): void;
  refuse(error: Error): void;
}

interface Server {
  readonly underWay: Map<AbortController, Asked>;
  readonly waiting: Set<Waiter>;
  heard: number;
  served: number;
  isGrounded: boolean;
  isResting: boolean;
}

export function makeFlights(): Flights {
  const servers = new Map<string, Server>();
  const serverOf = (url: string): Server => {
    const server = servers.get(url) ?? makeServer();
    servers.set(url, server);
    return server;
  };
  return {
    async begin(url, turn, signal, work = 0) {
      const server = serverOf(url);
      if (signal.aborted) throw cancelled(signal);
      if (server.waiting.size > 0 || !mayGo(server, turn)) return untilTurn(server, { turn, work }, signal);
      return takeOff(server, { turn, work });
    },
    traffic(url) {
      const { underWay, heard, served } = servers.get(url) ?? makeServer();
      return { inFlight: underWay.size, heard, served };
    },
    load(url) {
      const { underWay, waiting, isGrounded } = servers.get(url) ?? makeServer();
      const all = [...underWay.values(), ...waiting];
      return { requests: all.length, work: all.reduce((sum, { work }) => sum + work, 0), isGrounded };
    },
    ground(url, reason) {
      const server = serverOf(url);
      server.isGrounded = true;
      const ended = server.underWay.size;
      for (const flight of server.underWay.keys()) flight.abort(reason);
      return {
        ended,
        lift: () => {
          server.isGrounded = false;
          admit(server);
        },
        [Symbol.dispose]: () => {
          if (!server.isGrounded) return;
          servers.delete(url);
          for (const waiter of server.waiting) waiter.refuse(notTaken(url));
        },
      };
    },
  };
}

const makeServer = (): Server => ({
  underWay: new Map(),
  waiting: new Set(),
  heard: 0,
  served: 0,
  isGrounded: false,
  isResting: false,
});

function mayGo({ underWay, isGrounded, isResting }: Server, turn: Turn): boolean {
  if (isGrounded || isResting) return false;
  return (
    underWay.size === 0 ||
    (turn === 'shared' && ![...underWay.values()].some((each) => each.turn === 'alone'))
  );
}

function takeOff(server: Server, request: Asked): Flight {
  const flight = new AbortController();
  server.underWay.set(flight, request);
  return {
    signal: flight.signal,
    heard(what) {
      server.heard += 1;
      if (what === 'answer') server.served += 1;
    },
    brokeOff() {
      if (server.isResting) return;
      server.isResting = true;
      setTimeout(() => {
        server.isResting = false;
        admit(server);
      }, restMs);
    },
    [Symbol.dispose]: () => {
      server.underWay.delete(flight);
      admit(server);
    },
  };
}

/** In the order of their coming: one who waits to be alone would wait for ever behind a stream of newcomers. */
function admit(server: Server): void {
  for (const waiter of server.waiting) {
    if (!mayGo(server, waiter.turn)) return;
    waiter.go();
  }
}

function untilTurn(server: Server, request: Asked, signal: AbortSignal): Promise<Flight> {
  return new Promise((resolve, reject) => {
    const leave = (): void => {
      server.waiting.delete(waiter);
      signal.removeEventListener('abort', abort);
    };
    const waiter: Waiter = {
      ...request,
      go() {
        leave();
        resolve(takeOff(server, request));
      },
      refuse(error) {
        leave();
        reject(error);
      },
    };
    const abort = (): void => {
      waiter.refuse(cancelled(signal));
      // It may have been the one for whom the others waited.
      admit(server);
    };
    server.waiting.add(waiter);
    signal.addEventListener('abort', abort);
  });
}

const cancelled = (signal: AbortSignal): RagError =>
  new RagError('aborted', 'Cannot ask the model server: the wait for a turn was cancelled', {
    cause: signal.reason,
  });
