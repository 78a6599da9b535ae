/**
 * Makes examples/corpus from README.md and docs/: the same texts as Markdown, web pages and PDFs, so that the dry run
 * reads what users have. `--check` changes nothing and fails when a file would.
 */
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { makeHtml, makePdf } from './example-formats.ts';

type Format = 'md' | 'html' | 'pdf';

/** What is not named here becomes a web page. */
const formats: Readonly<Record<string, Format>> = {
  README: 'md',
  design: 'pdf',
  operations: 'pdf',
  errors: 'md',
};

const top = join(import.meta.dirname, '..');
const corpus = join(top, 'examples/corpus');

interface Example {
  readonly bytes: Buffer;
  /** What it was made from. */
  readonly markdown: string;
}

async function makeCorpus(): Promise<Map<string, Example>> {
  const files = new Map<string, Example>();
  for (const path of globSync(['README.md', 'docs/*.md'], { cwd: top }).sort()) {
    const name = basename(path, '.md');
    const format = formats[name] ?? 'html';
    const bytes = readFileSync(join(top, path));
    const markdown = bytes.toString();
    const made = { md: () => bytes, html: () => makeHtml(markdown), pdf: () => makePdf(markdown) };
    files.set(`${name}.${format}`, { bytes: await made[format](), markdown });
  }
  return files;
}

const readOrNothing = (name: string): Buffer | undefined => {
  try {
    return readFileSync(join(corpus, name));
  } catch {
    return undefined;
  }
};

interface Question {
  readonly id: string;
  readonly golden_answers: readonly string[];
  readonly documents: readonly string[];
}

/** Questions whose answers no longer stand in their documents. */
function unanswerable(files: ReadonlyMap<string, Example>): string[] {
  const lines = readFileSync(join(top, 'examples/questions.jsonl'), 'utf8').trim().split('\n');
  return lines
    .map((line) => JSON.parse(line) as Question)
    .filter(({ golden_answers, documents }) => {
      const texts = documents.map((name) => files.get(name)?.markdown ?? '');
      return !golden_answers.every((answer) => texts.some((text) => text.includes(answer)));
    })
    .map(({ id }) => id);
}

const files = await makeCorpus();
const stale = globSync('*', { cwd: corpus }).filter((name) => !files.has(name));
const changed = [...files].filter(([name, { bytes }]) => readOrNothing(name)?.equals(bytes) !== true);
const questions = unanswerable(files);

if (questions.length > 0) {
  console.error(`examples/questions.jsonl: no document answers ${questions.join(', ')}`);
  process.exitCode = 1;
}
if (!process.argv.includes('--check')) {
  mkdirSync(corpus, { recursive: true });
  for (const name of stale) rmSync(join(corpus, name));
  for (const [name, { bytes }] of changed) writeFileSync(join(corpus, name), bytes);
  console.log(`examples/corpus: ${files.size} documents, ${changed.length} written, ${stale.length} removed`);
} else if (changed.length + stale.length > 0) {
  const names = [...changed.map(([name]) => name), ...stale];
  console.error(`examples/corpus is stale (${names.join(', ')}): node scripts/make-examples.ts`);
  process.exitCode = 1;
}
