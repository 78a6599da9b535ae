/** What becomes of an answer of a model server on its way to the client. One of these for each request. */
import { unfinished } from '../../models/ollama-errors.ts';
import { foldLines } from './ollama-lines.ts';
import type { Problem } from '../problem.ts';
import { problemBody } from '../problem.ts';

export interface AnswerForm {
  /** @param upstream what the server says of its own */
  headers(upstream: { readonly type: string; readonly length: string | undefined }): Record<string, string>;
  /** Ends early, or throws, when the server does. Until the first piece nothing is passed on, and all may be done again. */
  pieces(body: AsyncIterable<Buffer>): AsyncIterable<Uint8Array | string>;
  /**
   * What tells the client, in the middle of the answer, that no more will come. Undefined: nothing can, its connection must be
   * cut.
   */
  broken(problem: Problem): string | undefined;
  /** A refusal of the server, as text. Undefined: as the server said it. */
  refused(status: number, said: string): object | undefined;
}

/** Of a stream the one object that a client wants instead, as the server would have given it: see `asObject`. */
export const folded = (path: string): AnswerForm => ({
  ...asItIs(path),
  headers: () => ({ 'content-type': 'application/json; charset=utf-8' }),
  pieces: async function* (body) {
    yield JSON.stringify(await foldLines(body));
  },
  broken: () => undefined,
});

const lineEnd = 0x0a;

/** In the last line of a stream of Ollama. Within a text its quotes have a backslash. */
const done = /"done"\s*:\s*true/;
/** So much of the piece before may be its beginning. */
const carried = 32;

/** What an answer of a model server may be. Else a browser would take it for a page of ours. */
export const typeOf = (said: string): string =>
  /^application\/(?:x-ndjson|json)\b/i.test(said) ? said : 'text/plain; charset=utf-8';

/** Byte for byte. A stream of lines that breaks off ends with a line of ours, as Ollama's own errors do. */
export function asItIs(path: string): AnswerForm {
  let isLines = false;
  let last: number | undefined;
  return {
    headers: ({ type, length }) => {
      isLines = type.startsWith('application/x-ndjson');
      // A line of ours may come behind its own.
      const promised = length === undefined || isLines ? {} : { 'content-length': length };
      return { 'content-type': typeOf(type), ...promised };
    },
    pieces: async function* (body) {
      let [isDone, before] = [false, ''];
      for await (const piece of body) {
        last = piece.at(-1) ?? last;
        if (isLines && !isDone) {
          const text = before + piece.toString('latin1');
          isDone = done.test(text);
          before = text.slice(-carried);
        }
        yield piece;
      }
      if (isLines && !isDone) throw unfinished('the stream ended unfinished');
    },
    broken: (problem) =>
      isLines && last === lineEnd ? `${JSON.stringify(problemBody(problem, path))}\n` : undefined,
    refused: () => undefined,
  };
}
