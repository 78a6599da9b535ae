/** Files of questions: JSON Lines by their keys, and MedRAG's benchmark of several data sets in one file. */
import { messageOf, RagError } from '../../errors.ts';
import { numberedLines } from '../lines.ts';
import type { Options } from './answers.ts';

export interface Question {
  readonly id: string;
  readonly text: string;
  /** Wanted answers in words; any of them is right. */
  readonly golden: readonly string[];
  /** Of a multiple choice; empty otherwise. */
  readonly options: Options;
  /** Label of the right option. */
  readonly right: string | undefined;
}

type Fields = Readonly<Record<string, unknown>>;

/**
 * One question a line: `_id` or `id`, then `text` (BEIR, ours), `question` (FlashRAG with `golden_answers`, MedRAG with
 * `options` and `answer`) or `query`. Without an id a question is named by its line, from 1.
 *
 * @param path for errors
 * @throws no-input naming the line
 */
export function parseQuestions(text: string, path: string): Question[] {
  const questions = new Map<string, Question>();
  for (const [number, raw] of numberedLines(text)) {
    const question = questionOf(fieldsOf(raw, path, number), String(number));
    if (typeof question === 'string') throw malformed(path, number, question);
    if (questions.has(question.id)) throw malformed(path, number, `the id "${question.id}" stands twice`);
    questions.set(question.id, question);
  }
  return [...questions.values()];
}

/** `{"dataset": {"id": {question, options, answer}}}`, as MIRAGE has it, or one data set alone. */
export function parseBenchmark(text: string, path: string): Question[] {
  const found = new Map<string, Question>();
  const walk = (value: unknown, names: readonly string[]): void => {
    if (!isFields(value)) throw malformed(path, 1, `${names.join('/')} is no object`);
    if (typeof value['question'] !== 'string') {
      for (const [name, inner] of Object.entries(value)) walk(inner, [...names, name]);
      return;
    }
    const id = names.join('/');
    const question = questionOf({ ...value, id }, id);
    if (typeof question === 'string') throw malformed(path, 1, `${id}: ${question}`);
    found.set(id, question);
  };
  walk(fieldsOf(text, path, 1), []);
  return [...found.values()];
}

function fieldsOf(text: string, path: string, line: number): Fields {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw malformed(path, line, `not JSON: ${messageOf(error).slice(0, 120)}`);
  }
  if (isFields(value)) return value;
  throw malformed(path, line, 'not a JSON object');
}

/** The question, or why it is none. */
function questionOf(fields: Fields, name: string): Question | string {
  const id = fields['_id'] ?? fields['id'] ?? name;
  if (typeof id !== 'string' && typeof id !== 'number') return 'its id is neither text nor a number';
  const text = ['text', 'question', 'query']
    .map((key) => fields[key])
    .find((value) => typeof value === 'string');
  if (text === undefined || text.trim() === '') return 'no "text" and no "question"';
  const options = optionsOf(fields['options']);
  const right = options.size === 0 ? undefined : rightOf(fields, options);
  if (options.size > 0 && right === undefined) return 'its "answer" names none of its options';
  return { id: String(id), text, golden: goldenOf(fields['golden_answers']), options, right };
}

const goldenOf = (value: unknown): string[] =>
  (Array.isArray(value) ? (value as unknown[]) : [value]).filter((answer) => typeof answer === 'string');

/** `{"A": "..."}`, or a list, whose labels are A, B, C. */
function optionsOf(value: unknown): Options {
  const pairs = Array.isArray(value)
    ? value.map((text, at): [string, unknown] => [String.fromCodePoint(65 + at), text])
    : isFields(value)
      ? Object.entries(value)
      : [];
  return new Map(pairs.map(([label, text]) => [label, String(text)]));
}

/** By label, by text, or by position from 0. */
function rightOf(fields: Fields, options: Options): string | undefined {
  const answer = fields['answer_idx'] ?? fields['answer'];
  const labels = [...options.keys()];
  if (typeof answer === 'number') return labels[answer];
  return labels.find((label) => label === answer) ?? labels.find((label) => options.get(label) === answer);
}

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const malformed = (path: string, line: number, what: string): RagError =>
  new RagError('no-input', `Cannot read ${path}: line ${line}: ${what}`, { hint: `sed -n ${line}p ${path}` });
