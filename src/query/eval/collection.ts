/**
 * Test collections as they lie on disk: BEIR (`corpus.jsonl`, `queries.jsonl`, `qrels/test.tsv`), ours (`documents.jsonl`,
 * `queries.jsonl`, `qrels.tsv`), the question files of FlashRAG (`test.jsonl`) and of MedRAG (`benchmark.json`), in a
 * folder or alone.
 */
import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { RagError } from '../../errors.ts';
import { parseBenchmark, parseQuestions, type Question } from './questions.ts';
import { parseQrels, parseRun, type Qrels, type Run } from './trec.ts';

export interface Collection {
  readonly name: string;
  /** The documents to ingest; undefined: there are none here, an index that has them is needed. */
  readonly corpus: string | undefined;
  /** Those that something is known of: judgements, or a wanted answer. */
  readonly questions: readonly Question[];
  /** Undefined where only answers are wanted. */
  readonly qrels: Qrels | undefined;
  /** Every file that was read or will be, for the manifest. */
  readonly files: readonly string[];
  /** What a reader of the figures must know. */
  readonly notes: readonly string[];
}

export interface CollectionFiles {
  /** A folder, or a file of questions. */
  readonly path: string;
  /** Judgements elsewhere. */
  readonly qrels?: string | undefined;
}

const corpusNames = ['corpus.jsonl', 'documents.jsonl'];
const questionNames = [
  'queries.jsonl',
  'questions.jsonl',
  'test.jsonl',
  'dev.jsonl',
  'train.jsonl',
  'benchmark.json',
];
const qrelsNames = ['qrels/test.tsv', 'qrels/dev.tsv', 'qrels/train.tsv', 'qrels.tsv', 'qrels.txt', 'qrels'];

/** @throws no-input naming the file and the line, or what is missing */
export async function readCollection({ path, qrels: given }: CollectionFiles): Promise<Collection> {
  const here = resolve(path);
  const kind = await kindOf(here);
  if (kind === undefined) throw missing(path, 'it does not exist, a folder or a file of questions is wanted');
  const folder = kind === 'folder' ? here : dirname(here);
  const corpus = kind === 'folder' ? await firstFile(folder, corpusNames) : undefined;
  const questionFile = kind === 'folder' ? await firstFile(folder, questionNames) : here;
  if (questionFile === undefined)
    throw missing(path, `it has no questions, one of ${questionNames.join(', ')} is wanted`);
  const beside = kind === 'folder' ? await firstFile(folder, qrelsNames) : undefined;
  const qrelsFile = given === undefined ? beside : resolve(given);
  const all = parseFile(await textOf(questionFile), questionFile);
  const qrels = qrelsFile === undefined ? undefined : parseQrels(await textOf(qrelsFile), qrelsFile);
  const questions = all.filter(
    ({ id, golden, right }) => qrels?.has(id) ?? (golden.length > 0 || right !== undefined),
  );
  if (questions.length === 0) throw nothingKnown(path, qrelsFile, { all, qrels });
  return {
    name: basename(here).replace(/\.jsonl?$/u, ''),
    corpus,
    questions,
    qrels,
    files: [corpus, questionFile, qrelsFile].filter((file) => file !== undefined),
    notes: notesOn(all, qrels),
  };
}

const parseFile = (text: string, file: string): Question[] =>
  file.endsWith('.json') ? parseBenchmark(text, file) : parseQuestions(text, file);

async function kindOf(path: string): Promise<'folder' | 'file' | undefined> {
  const found = await stat(path).catch(() => undefined);
  return found === undefined ? undefined : found.isDirectory() ? 'folder' : 'file';
}

async function firstFile(folder: string, names: readonly string[]): Promise<string | undefined> {
  for (const name of names) if ((await kindOf(join(folder, name))) === 'file') return join(folder, name);
  return undefined;
}

async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new RagError(
      'no-input',
      `Cannot read ${file}: ${(cause as NodeJS.ErrnoException).code ?? 'it failed'}`,
      {
        hint: `ls -l ${file}`,
        cause,
      },
    );
  }
}

function notesOn(all: readonly Question[], qrels: Qrels | undefined): string[] {
  if (qrels === undefined) return [];
  const asked = new Set(all.map(({ id }) => id));
  const unasked = [...qrels.keys()].filter((id) => !asked.has(id)).length;
  const unjudged = all.filter(({ id }) => !qrels.has(id)).length;
  return [
    ...(unasked > 0 ? [`judged questions without a text, left out: ${unasked}`] : []),
    ...(unjudged > 0 ? [`questions without judgements, left out: ${unjudged}`] : []),
  ];
}

function nothingKnown(
  path: string,
  qrelsFile: string | undefined,
  { all, qrels }: { readonly all: readonly Question[]; readonly qrels: Qrels | undefined },
): RagError {
  if (qrels === undefined)
    return missing(
      path,
      `its ${all.length} questions have neither judgements (${qrelsNames.slice(0, 5).join(', ')}) nor golden_answers nor options with an answer`,
    );
  const [judged = ''] = qrels.keys();
  return missing(
    path,
    `none of its ${all.length} questions is judged in ${qrelsFile}, whose first is "${judged}", while the questions begin with "${all[0]?.id ?? ''}"`,
  );
}

const missing = (path: string, what: string): RagError =>
  new RagError('no-input', `Cannot evaluate ${path}: ${what}`, {
    hint: 'node dist/supervisor.js eval DIR --qrels FILE   # DIR with documents.jsonl, queries.jsonl, qrels.tsv',
  });

/** A ranking that another program made. @throws no-input, also when there are no judgements to measure it by */
export async function readRun(path: string, { name, qrels }: Collection): Promise<Run> {
  if (qrels === undefined)
    throw missing(
      name,
      `a run is measured by judgements, and it has none (${qrelsNames.slice(0, 5).join(', ')})`,
    );
  const run = parseRun(await textOf(path), path);
  if (![...run.keys()].some((query) => qrels.has(query)))
    throw missing(
      name,
      `no question of ${path} is judged; the run begins with "${[...run.keys()][0] ?? ''}"`,
    );
  return run;
}
