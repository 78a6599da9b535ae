/** The lines of an answer of Ollama: read as they come, and put together to the one object that a client wants instead. */
import { z } from 'zod';
import { messageOf } from '../../errors.ts';
import { answerError, unfinished } from '../../models/ollama-errors.ts';

const toolCall = z.looseObject({
  id: z.string().optional(),
  function: z.looseObject({ name: z.string(), arguments: z.unknown().optional() }),
});

/** What is read of a line of `/api/chat` or `/api/generate`; it may hold more. */
const ollamaLine = z.looseObject({
  message: z
    .looseObject({
      content: z.string().optional(),
      thinking: z.string().optional(),
      tool_calls: z.array(toolCall).nullish(),
    })
    .optional(),
  response: z.string().optional(),
  thinking: z.string().optional(),
  logprobs: z.array(z.unknown()).nullish(),
  done: z.boolean().optional(),
  done_reason: z.string().optional(),
  prompt_eval_count: z.number().optional(),
  eval_count: z.number().optional(),
});

export type OllamaLine = z.infer<typeof ollamaLine>;

/** Characters. The last line of `/api/generate` holds a number for each token of the context. */
const longestLine = 2 ** 24;

/** The lines of each piece that ends at least one. @throws for one that has no end */
export async function* linesOf(body: AsyncIterable<Buffer>): AsyncGenerator<string[], void> {
  const decoder = new TextDecoder();
  // Joined when there is an end: to look through it again with every piece takes half a minute of 100 MiB.
  let rest: string[] = [];
  let length = 0;
  for await (const piece of body) {
    const text = decoder.decode(piece, { stream: true });
    const end = text.lastIndexOf('\n');
    if (end < 0) {
      rest.push(text);
      length += text.length;
      if (length > longestLine) throw unfinished(`a line of the answer is longer than ${longestLine}`);
      continue;
    }
    const lines = (rest.join('') + text.slice(0, end)).split('\n');
    rest = [text.slice(end + 1)];
    length = text.length - end - 1;
    const whole = lines.filter((line) => line.trim() !== '');
    if (whole.length > 0) yield whole;
  }
  const last = rest.join('');
  if (last.trim() !== '') yield [last];
}

/** @throws what the line says, when it is an error */
export function readLine(text: string): OllamaLine {
  const line = parse(text);
  if ('error' in line) throw answerError('the model', 500, String(line['error']));
  return line;
}

function parse(text: string): OllamaLine {
  try {
    const line: unknown = JSON.parse(text);
    ollamaLine.parse(line);
    // As it came, not as zod would have put it in order: it may be all that the client gets.
    return line as OllamaLine;
  } catch (error) {
    throw unfinished(`a line of the answer cannot be read (${messageOf(error)})`, error);
  }
}

/** The whole answer, as the server itself would have given it. @throws when it ends without its end */
export async function foldLines(body: AsyncIterable<Buffer>): Promise<OllamaLine> {
  let whole: OllamaLine | undefined;
  for await (const texts of linesOf(body))
    for (const text of texts) {
      const line = readLine(text);
      whole = whole === undefined ? line : joined(whole, line);
      if (line.done === true) return whole;
    }
  throw unfinished('the stream ended unfinished');
}

/** Texts and lists go on, all else is what was said last. */
function joined(before: OllamaLine, line: OllamaLine): OllamaLine {
  const { message: said } = before;
  const { message: says } = line;
  return {
    ...before,
    ...line,
    ...added('response', before.response, line.response),
    ...added('thinking', before.thinking, line.thinking),
    ...listed('logprobs', before.logprobs, line.logprobs),
    ...(said === undefined && says === undefined
      ? {}
      : {
          message: {
            ...said,
            ...says,
            ...added('content', said?.content, says?.content),
            ...added('thinking', said?.thinking, says?.thinking),
            ...listed('tool_calls', said?.tool_calls, says?.tool_calls),
          },
        }),
  };
}

const added = <Name extends string>(
  name: Name,
  before: string | undefined,
  more: string | undefined,
): { [key in Name]?: string } =>
  (before === undefined && more === undefined ? {} : { [name]: (before ?? '') + (more ?? '') }) as {
    [key in Name]?: string;
  };

const listed = <Name extends string, One>(
  name: Name,
  before: readonly One[] | null | undefined,
  more: readonly One[] | null | undefined,
): { [key in Name]?: One[] } =>
  (before == null && more == null ? {} : { [name]: [...(before ?? []), ...(more ?? [])] }) as {
    [key in Name]?: One[];
  };
