/** A file of questions to answer, one JSON object a line. */
import { messageOf, RagError } from '../errors.ts';

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
  // Only `\n` ends a line: rows with U+2028 inside exist.
  for (const [at, raw] of text
    .replace(/^\uFEFF/u, '')
    .split('\n')
    .entries()) {
    if (raw.trim() === '') continue;
    const question = questionOf(raw, String(at + 1));
    if (typeof question === 'string') throw malformed(path, at + 1, question);
    const before = lines.get(question.id);
    if (before !== undefined)
      throw malformed(path, at + 1, `the id "${question.id}" stands in line ${before}, too`);
    lines.set(question.id, at + 1);
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
