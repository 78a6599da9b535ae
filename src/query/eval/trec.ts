/** Judgements and rankings as the TREC tools write them, and the judgements of BEIR. */
import { RagError } from '../../errors.ts';
import { numberedLines } from '../lines.ts';
import type { Grades, Scored } from './measures.ts';

/** By query id. */
export type Qrels = ReadonlyMap<string, Grades>;
export type Run = ReadonlyMap<string, readonly Scored[]>;

/**
 * `query 0 document grade` (TREC) or `query document grade` (BEIR, with a line of column names). Between the fields
 * stand tabs or blanks; blank lines and those that begin with `#` say nothing.
 *
 * @param path for errors
 * @throws no-input naming the line
 */
export function parseQrels(text: string, path: string): Qrels {
  const qrels = new Map<string, Map<string, number>>();
  for (const { fields, line, isFirst } of rowsOf(text)) {
    const [query, document, grade] = fields.length === 4 ? [fields[0], fields[2], fields[3]] : fields;
    if (fields.length < 3 || fields.length > 4 || query === undefined || document === undefined)
      throw malformed(path, line, '"query document grade" or "query 0 document grade" is wanted');
    if (!isWhole(grade)) {
      if (isFirst) continue; // the names of the columns
      throw malformed(path, line, `the grade is "${grade}", a whole number is wanted`);
    }
    const grades = inMap(qrels, query, () => new Map<string, number>());
    const before = grades.get(document);
    if (before !== undefined && before !== Number(grade))
      throw malformed(path, line, `${document} has grade ${before} for ${query} above, one grade is wanted`);
    grades.set(document, Number(grade));
  }
  if (qrels.size === 0) throw empty(path, 'judgements');
  return qrels;
}

/**
 * `query Q0 document rank score tag`; the rank says nothing, as in trec_eval, and the tag may be missing.
 *
 * @throws no-input naming the line
 */
export function parseRun(text: string, path: string): Run {
  const run = new Map<string, Map<string, Scored>>();
  for (const { fields, line } of rowsOf(text)) {
    const [query, , document, , score = ''] = fields;
    if (fields.length < 5 || fields.length > 6 || query === undefined || document === undefined)
      throw malformed(path, line, '"query Q0 document rank score tag" is wanted');
    if (!isNumber(score)) throw malformed(path, line, `the score is "${score}", a number is wanted`);
    const list = inMap(run, query, () => new Map<string, Scored>());
    if (list.has(document)) throw malformed(path, line, `${document} stands twice for ${query}`);
    list.set(document, { document, score: Number(score) });
  }
  if (run.size === 0) throw empty(path, 'rankings');
  return new Map([...run].map(([query, list]) => [query, [...list.values()]]));
}

/** In trec_eval's order. Between the fields stand blanks, or tabs where an id has blanks. */
export function printRun(
  run: Run,
  tag: string,
  rank: (list: readonly Scored[]) => readonly Scored[],
): string {
  const names = [...run].flatMap(([query, list]) => [query, ...list.map(({ document }) => document)]);
  const between = names.some((name) => /[^\S\t]/u.test(name)) ? '\t' : ' ';
  const lines: string[] = [];
  for (const [query, list] of run)
    for (const [at, { document, score }] of rank(list).entries())
      lines.push([query, 'Q0', document, at + 1, score, tag].join(between));
  return lines.map((line) => `${line}\n`).join('');
}

interface TrecRow {
  readonly fields: readonly string[];
  /** Counted from 1. */
  readonly line: number;
  /** No other row came before it. */
  readonly isFirst: boolean;
}

function* rowsOf(text: string): Generator<TrecRow> {
  let isFirst = true;
  for (const [line, raw] of numberedLines(text)) {
    const row = raw.trim();
    if (row.startsWith('#')) continue;
    yield { fields: fieldsOf(row), line, isFirst };
    isFirst = false;
  }
}

/** Tabs alone, where they make enough fields: an id between tabs may have blanks. */
function fieldsOf(row: string): string[] {
  const byTab = row.split('\t').map((field) => field.trim());
  return byTab.length >= 3 ? byTab : row.split(/\s+/u);
}

const isWhole = (text: string | undefined): boolean => /^[+-]?\d+(?:\.0+)?$/u.test(text ?? '');
const isNumber = (text: string): boolean => text !== '' && Number.isFinite(Number(text));

function inMap<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const there = map.get(key);
  if (there !== undefined) return there;
  const made = make();
  map.set(key, made);
  return made;
}

const malformed = (path: string, line: number, what: string): RagError =>
  new RagError('no-input', `Cannot read ${path}: line ${line}: ${what}`, { hint: `sed -n ${line}p ${path}` });

const empty = (path: string, what: string): RagError =>
  new RagError('no-input', `Cannot read ${path}: it is empty, ${what} are wanted`, { hint: `head ${path}` });
