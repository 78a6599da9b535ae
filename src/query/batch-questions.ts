/** A file of questions to answer, one JSON object a line. */
import { messageOf, RagError } from '../errors.ts';
import { numberedLines } from './lines.ts';

export interface BatchQuestion {
  /** As the file has it; a number keeps its digits. Without one: the number of its line. */
  readonly id: string;
  readonly query: string;
}

/**
 * `{"id"?, "query" | "question" | "text"}`; `_id` is an id too, other fields are not looked at. All is read before the
 * first question is asked: a mistake in line 9,000 must not show after hours.
 *
 * @param path for errors
 * @throws no-input naming the line
 */
export function readQuestions(text: string, path: string): BatchQuestion[] {
  const questions: BatchQuestion[] = [];
  const lines = new Map<string, number>();
  for (const [number, raw] of numberedLines(text)) {
    const question = questionOf(raw, String(number));
    if (typeof question === 'string') throw malformed(path, number, question);
    const before = lines.get(question.id);
    if (before !== undefined)
      throw malformed(path, number, `the id "${question.id}" stands in line ${before}, too`);
    lines.set(question.id, number);
    questions.push(question);
  }
  if (questions.length > 0) return questions;
  throw new RagError('no-input', `Cannot read ${path}: it has no question, one a line is wanted`, {
    hint: `echo '{"id":"1","query":"What is it?"}' > ${path}`,
  });
}

/** The question, or why it is none. */
function questionOf(raw: string, line: string): BatchQuestion | string {
  let value: unknown;
  try {
    value = JSON.parse(raw);
  } catch (error) {
    return `not JSON: ${messageOf(error).slice(0, 120)}`;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'not a JSON object';
  const fields = value as Readonly<Record<string, unknown>>;
  const id = fields['id'] ?? fields['_id'] ?? line;
  if (typeof id !== 'string' && typeof id !== 'number') return 'its id is neither text nor a number';
  const query = ['query', 'question', 'text']
    .map((key) => fields[key])
    .find((each) => typeof each === 'string');
  if (query === undefined || query.trim() === '') return 'it has no text in "query" or "question"';
  return { id: String(id), query };
}

const malformed = (path: string, line: number, what: string): RagError =>
  new RagError('no-input', `Cannot read ${path}: line ${line}: ${what}`, { hint: `sed -n ${line}p ${path}` });
