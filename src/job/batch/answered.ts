/** What an earlier run left in a file of answers. */
import { RagError } from '../../errors.ts';
import type { BatchQuestion } from '../../query/batch-questions.ts';

/** A line in the file, line feed included. */
export interface Place {
  readonly from: number;
  readonly bytes: number;
  readonly failed: boolean;
}

export interface Answered {
  /** The last line of each question, by its position. */
  readonly places: Map<number, Place>;
  /** Where the next line goes; what is behind it is torn. */
  readonly end: number;
}

export interface AnsweredInput {
  readonly questions: readonly BatchQuestion[];
  /** For errors. */
  readonly path: string;
  readonly queriesPath: string;
}

/**
 * @throws usage when a whole line is no record, or of a question that is not asked: then the file is another batch's, or
 * no file of answers at all, and nothing of it may be lost
 */
export async function readAnswered(bytes: AsyncIterable<Buffer>, input: AnsweredInput): Promise<Answered> {
  const positions = new Map(input.questions.map(({ id }, at) => [id, at]));
  const places = new Map<number, Place>();
  let end = 0;
  let number = 0;
  let rest: Buffer = Buffer.alloc(0);
  for await (const piece of bytes) {
    rest = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
    for (let at = rest.indexOf(10); at >= 0; at = rest.indexOf(10)) {
      number += 1;
      const record = recordOf(rest.subarray(0, at).toString());
      const position = positions.get(record?.id ?? '');
      if (record === undefined || position === undefined || input.questions[position]?.query !== record.query)
        throw notOurs(input, number, record);
      places.set(position, { from: end, bytes: at + 1, failed: record.failed });
      end += at + 1;
      rest = rest.subarray(at + 1);
    }
  }
  if (rest.length > 0 && !isTorn(rest.subarray(0, 64).toString()))
    throw notOurs(input, number + 1, undefined);
  return { places, end };
}

/** A line that a crash cut begins as ours do; or its blocks were there before its bytes. */
const isTorn = (rest: string): boolean => {
  const begins = '{"id":"';
  return rest.startsWith(begins) || begins.startsWith(rest) || /^\0+$/u.test(rest);
};

interface Known {
  readonly id: string;
  readonly query: string;
  readonly failed: boolean;
}

function recordOf(line: string): Known | undefined {
  try {
    const { id, query, error } = JSON.parse(line) as Readonly<Record<string, unknown>>;
    return typeof id === 'string' && typeof query === 'string'
      ? { id, query, failed: error !== undefined }
      : undefined;
  } catch {
    return undefined;
  }
}

function notOurs({ path, queriesPath }: AnsweredInput, line: number, record: Known | undefined): RagError {
  const what =
    record === undefined
      ? 'is no record of an answer'
      : `answers question "${record.id}", which ${queriesPath} has not, or otherwise`;
  return new RagError(
    'usage',
    `Cannot write ${path}: its line ${line} ${what}; a new file or one of these questions is wanted`,
    {
      hint: `--answers ${path}.2`,
    },
  );
}
