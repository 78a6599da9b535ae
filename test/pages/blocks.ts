/** What pages show as code: fenced blocks, and words within a line. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const top = join(import.meta.dirname, '../..');

/** Pages that people write, by their path in the checkout. Those made from tables (`scripts/make-docs.ts`) are not here. */
export const pages: readonly string[] = globSync(['*.md', 'docs/*.md', 'docs/guides/*.md'], { cwd: top })
  .filter((path) => !['CHANGELOG.md', 'docs/configuration.md', 'docs/errors.md'].includes(path))
  .sort();

export const readPage = (page: string): string => readFileSync(join(top, page), 'utf8');

export interface Code {
  /** `README.md:12` */
  readonly place: string;
  readonly text: string;
}

export interface Block extends Code {
  /** `bash`: the tests run it as it stands. `sh`: it needs what they do not have; its words are looked at. */
  readonly language: string;
}

const lineOf = (text: string, index: number): number => text.slice(0, index).split('\n').length;

export function blocksOf(page: string): Block[] {
  const text = readPage(page);
  return [...text.matchAll(/^```(\w*)\n(.*?)^```$/gms)].map(({ index, 1: language = '', 2: inner = '' }) => ({
    place: `${page}:${lineOf(text, index) + 1}`,
    language,
    text: inner,
  }));
}

/** In the order of the page, which is that in which its readers run them. */
export const bashOf = (page: string): string[] =>
  blocksOf(page)
    .filter(({ language }) => language === 'bash')
    .map(({ text }) => text);

/** `words in backticks`, outside of blocks. */
export function spansOf(page: string): Code[] {
  // As many lines as before, so that places stay right.
  const text = readPage(page).replaceAll(/^```.*?^```$/gms, (block) => block.replaceAll(/[^\n]/g, ''));
  return [...text.matchAll(/(`+)(?!`)([^`]+)\1(?!`)/g)].map(({ index, 2: inner = '' }) => ({
    place: `${page}:${lineOf(text, index)}`,
    text: inner.replaceAll(/\s+/g, ' '),
  }));
}
