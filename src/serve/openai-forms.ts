/** How answers of Ollama reach clients of OpenAI's API: as events, or as one object. */
import { messageOf } from '../errors.ts';
import { answerError, unfinished } from '../models/ollama-errors.ts';
import type { AnswerForm } from './answer-form.ts';
import { type OllamaLine, readOllamaLine } from './openai-answers.ts';
import { type Problem, problemBody } from './problem.ts';

const refusedAs = (path: string) => (status: number, said: string) =>
  problemBody({ status, code: 'model-refused', message: said }, path);

/** The last word of a stream that is whole. */
const over = 'data: [DONE]\n\n';

const eventOf = (value: object): string => `data: ${JSON.stringify(value)}\n\n`;

/**
 * Server-sent events, some for each line.
 *
 * @param toEvents of one line
 */
export const asEvents = (path: string, toEvents: (line: OllamaLine) => readonly object[]): AnswerForm => ({
  headers: () => ({ 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' }),
  pieces: async function* (body) {
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

/** One object, made of the whole answer. */
export const asObject = (path: string, toObject: (text: string) => object): AnswerForm => ({
  headers: () => ({ 'content-type': 'application/json; charset=utf-8' }),
  pieces: async function* (body) {
    const pieces: Buffer[] = [];
    for await (const piece of body) pieces.push(piece);
    yield JSON.stringify(toObject(Buffer.concat(pieces).toString()));
  },
  broken: () => undefined,
  refused: refusedAs(path),
});

/** The lines of each piece that ends at least one. */
async function* linesOf(body: AsyncIterable<Buffer>): AsyncGenerator<string[], void> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const piece of body) {
    const lines = (rest + decoder.decode(piece, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    const whole = lines.filter((line) => line.trim() !== '');
    if (whole.length > 0) yield whole;
  }
  if (rest.trim() !== '') yield [rest];
}

/** @throws what the line says, when it is an error */
function readLine(text: string): OllamaLine {
  const line = parse(text);
  if ('error' in line) throw answerError('the model', 500, String(line['error']));
  return line;
}

function parse(text: string): OllamaLine {
  try {
    return readOllamaLine(text);
  } catch (error) {
    throw unfinished(`a line of the answer cannot be read (${messageOf(error)})`, error);
  }
}
