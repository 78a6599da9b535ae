/** Outside parsers (RAG_PARSER): what their command lines are, and whether the one that is wanted is there. */
import { createHash } from 'node:crypto';
import { basename, dirname } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { parseCommandString } from 'execa';
import { RagError } from '../errors.ts';
import { findProgram } from '../supervise/death-signal.ts';
import type { CommandEnd } from '../supervise/command.ts';

export interface ParserProgram {
  /** With its version where that is known, e.g. `docling-2.143`: stands in the record of an index. */
  readonly name: string;
  /** @param input a file. @param output an empty folder */
  command(input: string, output: string): readonly [string, ...string[]];
}

interface Known {
  readonly args: readonly string[];
  readonly install: string;
  /** Why this version cannot be used, and what to do. */
  readonly refuse?: (major: number) => { readonly reason: string; readonly hint: string } | undefined;
}

const known: Readonly<Record<string, Known>> = {
  // The pipeline is the only backend that works without a GPU as well, and the same everywhere: another one makes
  // other texts. Where a GPU is hidden it finds none and takes the CPU.
  mineru: {
    args: ['-p', '{input}', '-o', '{output}', '-b', 'pipeline'],
    install: 'pip install "mineru[core]<4"',
    refuse: (major) =>
      major < 4
        ? undefined
        : {
            // Its `mineru parse` moreover starts a server that stays.
            reason: 'it writes no list of contents, a version below 4 is wanted',
            hint: `pip install "mineru[core]<4"   # or, without pages: RAG_PARSER='mineru-kit parse {input} -o {output} -f markdown --tier basic'`,
          },
  },
  // Else every picture comes as base64 in the JSON.
  docling: {
    args: ['--to', 'json', '--image-export-mode', 'placeholder', '--output', '{output}', '{input}'],
    install: 'pip install docling',
  },
};

/** Runs a command line to its end. */
export type RunCommand = (command: readonly [string, ...string[]]) => Promise<CommandEnd>;

/**
 * Finds the program, and asks one that is known for its version. Imports of Python from a network file system take
 * minutes the first time.
 *
 * @param setting RAG_PARSER
 * @param path PATH of the run
 * @throws preflight with the line that mends it; aborted
 */
export async function findParserProgram(
  setting: string,
  path: string,
  run: RunCommand,
): Promise<ParserProgram> {
  const [program = '', ...args] = parseCommandString(setting);
  const label = basename(program);
  const one = args.length === 0 ? known[label] : undefined;
  const file = find(program, path);
  if (file === undefined) throw cannotUse(setting, 'there is no such program', 'on PATH', one?.install);
  if (one === undefined) return { name: `${label}-${digestOf([label, ...args])}`, command: fill(file, args) };
  const version = await askVersion(setting, file, one, run);
  return { name: [label, version].filter(Boolean).join('-'), command: fill(file, one.args) };
}

function find(program: string, path: string): string | undefined {
  if (!program.includes('/')) return findProgram(program, path);
  // It looks in the system's own folders as well.
  const found = findProgram(basename(program), dirname(program));
  return found === program ? found : undefined;
}

const fill =
  (file: string, args: readonly string[]): ParserProgram['command'] =>
  (input, output) => [
    file,
    ...args.map((word) => word.replaceAll('{input}', () => input).replaceAll('{output}', () => output)),
  ];

/** Another command line makes other texts; the folder of the program does not matter. */
const digestOf = (words: readonly string[]): string =>
  createHash('sha256').update(words.join('\0')).digest('hex').slice(0, 8);

/** `2.143` of `Docling version: 2.143.0`: a patch does not make other texts of a corpus. Undefined when it says none. */
async function askVersion(
  setting: string,
  file: string,
  { install, refuse }: Known,
  run: RunCommand,
): Promise<string | undefined> {
  const end = await run([file, '--version']);
  if (end.outcome === 'aborted') throw new RagError('aborted', `Cannot ask ${file} for its version: stopped`);
  if (end.outcome !== 'exited' || end.exit.code !== 0)
    throw cannotUse(setting, `\`${file} --version\` ${saidBy(end)}`, 'that works', install);
  const [, major, minor] =
    end.tail.map((line) => /version:?\s+v?(\d+)\.(\d+)/i.exec(line)).find((found) => found !== null) ?? [];
  if (major === undefined) return undefined;
  const refusal = refuse?.(Number(major));
  if (refusal === undefined) return `${major}.${minor}`;
  throw new RagError(
    'preflight',
    `Cannot use RAG_PARSER=${setting}: it is version ${major}.${minor}: ${refusal.reason}`,
    { hint: refusal.hint },
  );
}

/** How a command ended that should have ended well, with the last thing that it said. */
export function saidBy(end: CommandEnd): string {
  const last = lastWords(end.tail);
  return `${howItEnded(end)}${last === '' ? '' : `: ${last}`}`;
}

function howItEnded(end: CommandEnd): string {
  if (end.outcome === 'exited')
    return end.exit.signal === null ? `exited with code ${end.exit.code}` : `was ended by ${end.exit.signal}`;
  if (end.outcome === 'left') return `left processes that SIGKILL does not end (${end.pids.join(', ')})`;
  if (end.outcome === 'not-started') return `could not be started: ${end.reason}`;
  return end.outcome === 'timed-out' ? `took longer than ${end.timeoutMs / 1000} s` : 'was stopped';
}

/** The last line that says something, without colours, frames and what a progress bar wrote over. */
function lastWords(tail: readonly string[]): string {
  const lines = tail.map((line) => {
    const shown = line.split('\r').findLast((part) => part.trim() !== '') ?? '';
    // Cut first: the pattern takes the square of a run of blanks.
    const short = stripVTControlCharacters(shown).slice(0, 400);
    return short.replaceAll(/^[\s│╭╮╰╯─]+|[\s│╭╮╰╯─]+$/gu, '');
  });
  const last = lines.findLast((line) => /\p{L}/u.test(line)) ?? '';
  return last.replaceAll(/\p{Cc}/gu, ' ').slice(0, 300);
}

const cannotUse = (setting: string, is: string, wanted: string, install: string | undefined): RagError =>
  new RagError('preflight', `Cannot use RAG_PARSER=${setting}: ${is}, one ${wanted} is wanted`, {
    hint: install ?? 'export RAG_PARSER=/path/to/program...   # with {input} and {output} among its words',
  });
