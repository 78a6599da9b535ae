import { RagError } from '../errors.ts';

/**
 * Why a request may be sent again. `refused`: nobody took the connection, as during a restart.
 * `busy`: the server said so. `died`: it had the request and did not finish; perhaps because of it.
 */
export type Setback = 'refused' | 'busy' | 'died';

/** Undefined for an error that sending again will not cure. */
export function setbackOf(error: unknown): Setback | undefined {
  const setback: unknown =
    typeof error === 'object' && error !== null && 'setback' in error ? error.setback : undefined;
  return setback === 'refused' || setback === 'busy' || setback === 'died' ? setback : undefined;
}

/** In how many milliseconds the server wants to be asked again, where it has said that. */
export const askAgainMsOf = (error: unknown): number | undefined =>
  typeof error === 'object' && error !== null && 'askAgainMs' in error && typeof error.askAgainMs === 'number'
    ? error.askAgainMs
    : undefined;

const unavailable = (setback: Setback, message: string, cause?: unknown): RagError =>
  Object.assign(new RagError('model-unavailable', message, { cause }), { setback });

/** A service whose generator starts later says when to ask again; a queue that is full does not. */
export const postponed = (model: string, text: string, seconds: number): RagError =>
  Object.assign(unavailable('busy', `Cannot use ${model} yet: ${text}`), { askAgainMs: seconds * 1000 });

/** A request that the server has and does not finish: silence, a cut connection, a stream without its end. */
export const unfinished = (what: string, cause?: unknown): RagError =>
  unavailable(
    'died',
    `Cannot get an answer of the model server: ${what}, a complete answer is wanted`,
    cause,
  );

/** A request that was not sent, because its server is being given up. Nobody is to blame: as if it had refused. */
export const notTaken = (url: string): RagError =>
  unavailable('refused', `Cannot reach the model server at ${url}: it is given up, a working one is wanted`);

const neverSent = new Set([
  'ECONNREFUSED',
  'ENOENT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** What a failed exchange means: the connection, not an answer, is what went wrong. */
export function connectionError(url: string, cause: unknown): RagError {
  const code: unknown =
    typeof cause === 'object' && cause !== null && 'code' in cause ? cause.code : undefined;
  if (typeof code === 'string' && neverSent.has(code)) {
    return unavailable(
      'refused',
      `Cannot reach the model server at ${url}: ${code}, a listening server is wanted`,
      cause,
    );
  }
  return unfinished(
    `the connection to ${url} ended (${typeof code === 'string' ? code : String(cause)})`,
    cause,
  );
}

/** The text of an error body: JSON `{"error"}`, ours and OpenAI's `{"error":{"message"}}`, or plain text. */
export function errorText(body: string): string {
  try {
    const parsed: unknown = JSON.parse(body);
    if (typeof parsed === 'object' && parsed !== null && 'error' in parsed) {
      const { error } = parsed;
      const isWhole = typeof error === 'object' && error !== null && 'message' in error;
      return String(isWhole ? error.message : error);
    }
  } catch {
    // Not JSON: unknown routes and wrong methods are answered in plain text.
  }
  return body.trim().slice(0, 300) || 'no message';
}

interface Answer {
  /** Which versions answer so, for the reader: what is decided here must not depend on knowing the version. */
  readonly versions: string;
  readonly status: (status: number) => boolean;
  readonly text: RegExp;
  readonly error: (model: string, said: string) => RagError;
}

const any = (): boolean => true;
const only =
  (wanted: number) =>
  (status: number): boolean =>
    status === wanted;
const from =
  (lowest: number) =>
  (status: number): boolean =>
    status >= lowest;

const refused = (model: string, said: string, wanted: string, hint?: string): RagError =>
  new RagError('model-refused', `Cannot use ${model}: ${said}, ${wanted} is wanted`, { hint });

const notOllama = 'Is this the address of an Ollama server?';

/**
 * What an error answer means; the first row that fits says it. Statuses alone do not tell: from 0.14 every failure of
 * the runner below an embedding is a 400, which before was a 500, so that the text goes first.
 */
const answers: readonly Answer[] = [
  {
    versions: 'up to 0.13: 500 "unsupported value: NaN"; from 0.14: 400 "contains NaN or Inf values"',
    status: any,
    text: /\bNaN\b|\bInf values\b/,
    error: (model, said) =>
      new RagError('bad-vector', `Cannot use the vector of ${model}: ${said}, finite numbers are wanted`),
  },
  {
    versions:
      '0.12: "input exceeds maximum context length"; then "exceeds the context length", "is longer than"',
    status: any,
    text: /exceeds? .*context length|longer than the context length|input is too large/i,
    error: (model, said) =>
      new RagError('too-long', `Cannot fit the text into ${model}: ${said}, a shorter text is wanted`),
  },
  {
    versions: 'all, "model \'x\' not found"',
    status: only(404),
    text: /model/,
    error: (model, said) => refused(model, said, 'an installed model', `ollama pull ${model}`),
  },
  {
    versions: 'all, in plain text: an unknown route (404) or a method that it does not have (405)',
    status: (status) => status === 404 || status === 405,
    text: /(?:)/,
    error: (model, said) => refused(model, said, 'a route of Ollama', notOllama),
  },
  {
    versions: 'all, without a text: bound to loopback and asked by a name that is none of this host',
    status: only(403),
    text: /^no message$/,
    error: (model, said) =>
      refused(model, said, 'an accepted Host header', 'Ask it at 127.0.0.1, not by another name.'),
  },
  {
    versions:
      'all, while it loads or switches models and its queue is full; 429: the endpoint of another job, likewise',
    status: (status) => status === 503 || status === 429,
    text: /(?:)/,
    error: (model, said) =>
      unavailable('busy', `Cannot use ${model} now: ${said}, a free place in its queue is wanted`),
  },
  {
    versions: 'all: 499 "request canceled", 500 for loads and, up to 0.13, for all that the runner does',
    status: from(499),
    text: /(?:)/,
    error: (_, said) => unfinished(said),
  },
  {
    versions:
      'from 0.14, an embedding whose runner died: its connection, or its last words as Ollama keeps them',
    status: only(400),
    text: /\bEOF\b|connection re(?:set|fused)|broken pipe|no longer running|has terminated|(?:CUDA|ROCm) error|cudaMalloc failed|GGML_ASSERT|panic:|fatal error:|error loading model|llama_init_from_model:/,
    error: (_, said) => unfinished(said),
  },
];

/** @param text as `errorText` gives it */
export function answerError(model: string, status: number, text: string): RagError {
  const said = `the model server answered ${status} "${text}"`;
  const answer = answers.find((each) => each.status(status) && each.text.test(text));
  return answer?.error(model, said) ?? refused(model, said, 'an accepted request');
}
