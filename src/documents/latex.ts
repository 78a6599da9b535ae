import type { Block, ParsedText } from './block.ts';
import { bracedText, plainLatex, withoutComments } from './latex-text.ts';
import { rowLine, tableBlock } from './table-rows.ts';
import { paragraphs } from './text.ts';

/**
 * LaTeX by its structure: sections are headings, items lines of a list, tables rows, captions text. Formulas stay
 * as they are written, comments are dropped. Macros are not expanded, and files that are named are not read: a
 * paper in several files is several documents.
 *
 * @param text cleaned
 */
export function parseLatex(text: string): ParsedText {
  const source = withoutComments(text);
  const begin = source.indexOf('\\begin{document}');
  const end = source.lastIndexOf('\\end{document}');
  const from = begin < 0 ? 0 : begin + '\\begin{document}'.length;
  const walk: Walk = {
    source: source.slice(from, end < from ? undefined : end),
    blocks: [],
    text: '',
    missing: new Set(),
  };
  readBody(walk);
  return { title: titleIn(source), blocks: walk.blocks };
}

interface Walk {
  readonly source: string;
  readonly blocks: Block[];
  /** Of the paragraphs since the last block, already plain. */
  text: string;
  /** What was looked for and does not come any more: looking for it again and again would take a day. */
  readonly missing: Set<string>;
}

function titleIn(source: string): string | undefined {
  const at = /\\title(?:\[[^\]\n]{0,300}\])?\{/u.exec(source);
  if (at === null) return undefined;
  const { text } = bracedText(source, at.index + at[0].length);
  return oneLine(plainLatex(text.replace(/\\thanks\{[^{}]*\}/gu, '').replaceAll('\\\\', ' '))) || undefined;
}

const oneLine = (text: string): string => text.replace(/\s+/gu, ' ').trim();

/** Everything that is more than running text. */
const structure =
  /\\begin\{([a-z]+)\*?\}|\\end\{[a-z]+\*?\}|\\(part|chapter|section|subsection|subsubsection|paragraph|subparagraph|caption)\*?(?:\[[^\]\n]{0,300}\])?\{|\\(?:item\b|bibitem\{[^{}\n]{0,300}\})[ \t]*(?:\[([^\]\n]{0,300})\])?\s*|\\\[/giu;

const levels = ['part', 'chapter', 'section', 'subsection', 'subsubsection', 'paragraph', 'subparagraph'];

function readBody(walk: Walk): void {
  const { source } = walk;
  let at = 0;
  for (;;) {
    structure.lastIndex = at;
    const match = structure.exec(source);
    walk.text += plainLatex(source.slice(at, match?.index));
    if (match === null) break;
    at = readStructure(walk, match);
  }
  flush(walk);
}

/** @returns where to go on */
function readStructure(walk: Walk, match: RegExpExecArray): number {
  const [whole, environment, command, label] = match;
  const after = match.index + whole.length;
  if (environment !== undefined) return readEnvironment(walk, environment, match.index, after);
  if (command !== undefined) {
    const { text, next } = bracedText(walk.source, after);
    flush(walk);
    const plain = oneLine(plainLatex(text));
    const level = levels.indexOf(command) + 1;
    if (plain !== '')
      walk.blocks.push(level > 0 ? { kind: 'heading', text: plain, level } : textBlock(plain));
    return next;
  }
  if (whole === '\\[') return keepFormula(walk, match.index, '\\]');
  if (whole.startsWith('\\end')) walk.text += '\n\n';
  else walk.text = `${walk.text.trimEnd()}\n- ${label === undefined ? '' : `${plainLatex(label)}: `}`;
  return after;
}

const textBlock = (text: string): Block => ({ kind: 'text', text });

const verbatim = new Set(['verbatim', 'lstlisting', 'minted', 'alltt']);
const formulas = new Set([
  'equation',
  'align',
  'gather',
  'multline',
  'eqnarray',
  'displaymath',
  'math',
  'flalign',
]);
const tables = new Set(['tabular', 'tabularx', 'tabulary', 'longtable', 'supertabular', 'array']);

function readEnvironment(walk: Walk, environment: string, at: number, after: number): number {
  const { source } = walk;
  const name = environment.toLowerCase();
  const star = source[after - 2] === '*' ? '*' : '';
  const closing = `\\end{${environment}${star}}`;
  if (formulas.has(name)) return keepFormula(walk, at, closing);
  const isCode = verbatim.has(name);
  if (!isCode && !tables.has(name) && name !== 'comment') {
    flush(walk);
    // [ht] and the like.
    return after + (/^\s*\[[^\]\n]{0,100}\]/u.exec(source.slice(after, after + 120))?.[0].length ?? 0);
  }
  const found = find(walk, closing, after);
  const end = found < 0 ? source.length : found;
  const inner = source.slice(after, end);
  flush(walk);
  if (isCode)
    walk.blocks.push({
      kind: 'code',
      text: inner.replace(/^(?:\[[^\]\n]{0,300}\])?(?:\{[^}\n]{0,100}\})?\n/u, '').trimEnd(),
    });
  else if (name !== 'comment') pushTable(walk, inner);
  return found < 0 ? end : end + closing.length;
}

function find({ source, missing }: Walk, wanted: string, from: number): number {
  const at = missing.has(wanted) ? -1 : source.indexOf(wanted, from);
  if (at < 0) missing.add(wanted);
  return at;
}

/** As it is written, in its place in the paragraph. One that is never closed is text like any other. */
function keepFormula(walk: Walk, at: number, closing: string): number {
  const end = find(walk, closing, at);
  const next = end < 0 ? at + 2 : end + closing.length;
  walk.text += walk.source
    .slice(at, next)
    .replace(/\\label\{[^{}]*\}/gu, '')
    .replace(/\n\s*\n/gu, '\n');
  return next;
}

const rules =
  /\\(?:hline|toprule|midrule|bottomrule|endhead|endfirsthead|endfoot|endlastfoot|(?:cline|cmidrule)(?:\([a-z]*\))?\{[^{}]*\})/giu;

/** @param inner what stands between begin and end, with the description of the columns in front */
function pushTable(walk: Walk, inner: string): void {
  let from = 0;
  // tabularx has a width before the columns, array and tabular a position.
  for (let skip = skipArgument(inner, from); skip > from; skip = skipArgument(inner, from)) from = skip;
  const lines = inner
    .slice(from)
    .replace(rules, '')
    .split(/\\\\(?:\[[^\]\n]{0,50}\])?|\\tabularnewline/u)
    .map((row) => rowLine(row.split(/(?<!\\)&/u).map((cell) => oneLine(plainLatex(cell)))))
    .filter((line) => line !== '');
  if (lines.length > 0) walk.blocks.push(tableBlock(lines, 1));
}

function skipArgument(text: string, from: number): number {
  const opening = /^\s*(?:\{|\[[^\]\n]{0,100}\])/u.exec(text.slice(from, from + 200))?.[0];
  if (opening === undefined) return from;
  return opening.endsWith('{') ? bracedText(text, from + opening.length).next : from + opening.length;
}

function flush(walk: Walk): void {
  for (const block of paragraphs(walk.text)) walk.blocks.push({ ...block, text: block.text.trim() });
  walk.text = '';
}
