/** How answers of Ollama reach clients of OpenAI's API: as events, or as one object. */
import { unfinished } from '../../models/ollama-errors.ts';
import type { AnswerForm } from '../gateway/answer-form.ts';
import { foldLines, linesOf, type OllamaLine, readLine } from '../gateway/ollama-lines.ts';
import { type Problem, problemBody } from '../problem.ts';

const refusedAs = (path: string) => (status: number, said: string) =>
  problemBody({ status, code: 'model-refused', message: said }, path);

/** The last word of a stream that is whole. */
const over = 'data: [DONE]\n\n';

const eventOf = (value: object): string => `data: ${JSON.stringify(value)}\n\n`;

/**
 * Server-sent events, some for each line.
 *
 * @param begin gives what makes them, which may remember what was said: anew for each try, because the pieces of one that
 *   failed before its first event are said again
 */
export const asEvents = (path: string, begin: () => (line: OllamaLine) => readonly object[]): AnswerForm => ({
  headers: () => ({ 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' }),
  pieces: async function* (body) {
    const toEvents = begin();
    let hasBegun = false;
    for await (const lines of linesOf(body)) {
      let events = '';
      try {
        for (const text of lines) {
          const line = readLine(text);
          events += toEvents(line).map(eventOf).join('');
          if (line.done === true) return void (yield events + over);
        }
      } catch (error) {
        // Before the first event all can be done again.
        if (hasBegun && events !== '') yield events;
        throw error;
      }
      yield events;
      hasBegun = true;
    }
    throw unfinished('the stream ended unfinished');
  },
  broken: (problem: Problem) => eventOf(problemBody(problem, path)),
  refused: refusedAs(path),
});

/**
 * One object, made of a stream: until it is whole all can be done again, and its pieces are signs of life of the server, which
 * else would count as hung while it writes for a quarter of an hour.
 */
export const asObject = (path: string, toObject: (whole: OllamaLine) => object): AnswerForm => ({
  headers: () => ({ 'content-type': 'application/json; charset=utf-8' }),
  pieces: async function* (body) {
    yield JSON.stringify(toObject(await foldLines(body)));
  },
  broken: () => undefined,
  refused: refusedAs(path),
});
