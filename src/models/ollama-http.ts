import { codeOf, RagError } from '../errors.ts';
import { openConnections, type Way } from './address.ts';
import { makeFlights, type Flight, type Flights, type Turn } from './flights.ts';
import { requestWork } from './load.ts';
import {
  answerError,
  connectionError,
  errorText,
  postponed,
  setbackOf,
  unfinished,
} from './ollama-errors.ts';

/** One request. Without a body it is a GET. */
export interface Ask {
  readonly url: string;
  readonly path: string;
  readonly body?: { readonly model: string } & Readonly<Record<string, unknown>>;
  /** Silence after which this request is given up, where the common limit does not fit. */
  readonly stallMs?: number;
  /** `shared` when nothing is said. `probe`: waits for nobody and is not counted, as every GET. */
  readonly turn?: Turn | 'probe';
  readonly signal: AbortSignal;
}

/** The connections to all model servers of a job. Disposing it cuts what is still running. */
export interface OllamaHttp extends AsyncDisposable {
  readonly flights: Flights;
  /** The text of the answer as it comes. @throws as `json` */
  pieces(ask: Ask): AsyncIterable<string>;
  /** The whole answer, parsed. @throws bad-vector, too-long, model-refused, model-unavailable, aborted */
  json(ask: Ask): Promise<unknown>;
  /** The lines of a streamed answer, parsed. Leaving the loop closes the request. @throws as `json` */
  lines(ask: Ask): AsyncIterable<unknown>;
}

/** 64 vectors of 4096 numbers are 3.4 MB of JSON; this is room for the largest batch of the largest models. */
const maxAnswerBytes = 256 * 2 ** 20;

/**
 * @param options.stallMs A request without a byte for so long is given up. The last resort only, longer than any
 * load: who watches the server knows a load from a hang, and ends the flights of a stuck one much earlier. It
 * replaces the library's own limit of 300 s, which cuts the load of a 142 GB model every time, and a cut request
 * aborts the load.
 */
export function openOllamaHttp({ stallMs = 3_600_000 }: { readonly stallMs?: number } = {}): OllamaHttp {
  const flights = makeFlights();
  const connections = openConnections({
    headersTimeout: 0,
    bodyTimeout: 0,
    maxResponseSize: maxAnswerBytes,
  });
  const exchange = async function* (ask: Ask): AsyncGenerator<string, void> {
    const { body, turn = 'shared', url, signal } = ask;
    const text = body === undefined ? null : JSON.stringify(body);
    using flight =
      text === null || turn === 'probe' ? null : await flights.begin(url, turn, signal, workOf(ask, text));
    try {
      yield* answerTo(connections.to(url), { ...ask, text }, flight, stallMs);
    } catch (error) {
      if (setbackOf(error) === 'died') flight?.brokeOff();
      throw error;
    }
  };
  return {
    flights,
    pieces: exchange,
    async json(ask) {
      let text = '';
      for await (const piece of exchange(ask)) text += piece;
      return parse(text);
    },
    async *lines(ask) {
      let rest = '';
      for await (const piece of exchange(ask)) {
        const lines = (rest + piece).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) if (line.trim() !== '') yield parse(line);
      }
      if (rest.trim() !== '') yield parse(rest);
    },
    async [Symbol.asyncDispose]() {
      await connections[Symbol.asyncDispose]();
    },
  };
}

function workOf({ path, body }: Ask, text: string): number {
  const { num_predict: answer } = (body?.['options'] ?? {}) as { num_predict?: number };
  return requestWork(text.length, path === '/api/chat' ? answer : 0);
}

/** The text of a 200 answer in pieces; everything else is thrown. */
async function* answerTo(
  { origin, dispatcher }: Way,
  ask: Ask & { readonly text: string | null },
  flight: Flight | null,
  stallMs: number,
): AsyncGenerator<string, void> {
  const signals = flight === null ? [ask.signal] : [ask.signal, flight.signal];
  using stall = watchStall(signals, ask.stallMs ?? stallMs);
  try {
    const response = await dispatcher.request({
      origin,
      path: ask.path,
      method: ask.text === null ? 'GET' : 'POST',
      headers: { 'content-type': 'application/json' },
      body: ask.text,
      signal: stall.signal,
    });
    if (response.statusCode !== 200) {
      flight?.heard('refusal');
      const text = errorText(await response.body.text());
      const model = ask.body?.model ?? ask.path;
      const seconds = Number(response.headers['retry-after']);
      if (response.statusCode === 503 && seconds > 0) throw postponed(model, text, seconds);
      throw answerError(model, response.statusCode, text);
    }
    const decoder = new TextDecoder();
    for await (const bytes of response.body as AsyncIterable<Uint8Array>) {
      stall.heard();
      flight?.heard('answer');
      yield decoder.decode(bytes, { stream: true });
    }
  } catch (error) {
    throw exchangeError(ask, error);
  }
}

function exchangeError(ask: Ask, error: unknown): unknown {
  if (codeOf(error) !== undefined) return error;
  if (!ask.signal.aborted) return connectionError(ask.url, error);
  return new RagError('aborted', `Cannot finish the request ${ask.path}: it was cancelled`, { cause: error });
}

interface StallWatch extends Disposable {
  readonly signal: AbortSignal;
  heard(): void;
}

function watchStall(signals: readonly AbortSignal[], stallMs: number): StallWatch {
  const stalled = new AbortController();
  const timer = setTimeout(() => {
    stalled.abort(unfinished(`no byte came for ${Math.round(stallMs / 1000)} s`));
  }, stallMs);
  return {
    signal: AbortSignal.any([...signals, stalled.signal]),
    heard: () => void timer.refresh(),
    [Symbol.dispose]: () => clearTimeout(timer),
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw unfinished('the answer broke off in the middle of its JSON', cause);
  }
}
