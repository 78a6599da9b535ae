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

const unavailable = (setback: Setback, message: string, cause?: unknown): RagError =>
  Object.assign(new RagError('model-unavailable', message, { cause }), { setback });

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

/** The text of an error body: JSON `{"error"}`, or the plain text that some routes answer. */
export function errorText(body: string): string {
  try {
    const parsed: unknown = JSON.parse(body);
    if (typeof parsed === 'object' && parsed !== null && 'error' in parsed) return String(parsed.error);
  } catch {
    // Not JSON: unknown routes and wrong methods are answered in plain text.
  }
  return body.trim().slice(0, 300) || 'no message';
}

/**
 * What an error answer means. Statuses alone do not tell: from 0.14 a crashed runner is a 400 with `EOF` in
 * its text, and a vector of NaN is a 500 before it and a 400 after.
 */
export function answerError(model: string, status: number, text: string): RagError {
  const said = `the model server answered ${status} "${text}"`;
  if (/\bNaN\b|\bInf values\b/.test(text)) {
    return new RagError(
      'bad-vector',
      `Cannot use the vector of ${model}: ${said}, finite numbers are wanted`,
    );
  }
  if (/exceeds? .*context length|longer than the context length|input is too large/i.test(text)) {
    return new RagError('too-long', `Cannot fit the text into ${model}: ${said}, a shorter text is wanted`);
  }
  if (status === 404) {
    const hint = /model/.test(text) ? `ollama pull ${model}` : 'Is this the address of an Ollama server?';
    return new RagError('model-refused', `Cannot use ${model}: ${said}, an installed model is wanted`, {
      hint,
    });
  }
  if (status === 503)
    return unavailable('busy', `Cannot use ${model} now: ${said}, a free place in its queue is wanted`);
  if (
    status >= 499 ||
    /\bEOF\b|connection reset|connection refused|no longer running|has terminated/.test(text)
  ) {
    return unfinished(said);
  }
  return new RagError('model-refused', `Cannot use ${model}: ${said}, an accepted request is wanted`);
}
