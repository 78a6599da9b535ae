/** Documents about nothing with the shape of a language: few words are frequent, most are rare. The same in every run. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A fixed sequence of numbers in 0-1. */
export function makeRandom(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
}

const frequent =
  'the of and to in is that it was for with as by on be not this are or from at which have an they were has';
const syllables = 'ka ro mi ten lu sar vo ne dri pal on tu ger sha bi lom fe ric wa ston'.split(' ');

/** Zipf's order: the n-th word is n times rarer than the first. */
const words = [...frequent.split(' '), ...Array.from({ length: 20_000 }, (_, n) => wordOf(n + 400))];

function wordOf(n: number): string {
  const syllable = syllables[n % syllables.length] ?? '';
  return n < syllables.length ? syllable : wordOf(Math.floor(n / syllables.length)) + syllable;
}

const wordAt = (random: () => number): string => words[Math.floor(words.length ** random()) - 1] ?? 'the';

function makeSentence(random: () => number): string {
  const sentence = Array.from({ length: 8 + Math.floor(random() * 16) }, () => wordAt(random)).join(' ');
  return `${sentence.charAt(0).toUpperCase()}${sentence.slice(1)}.`;
}

/** At least `length` words in paragraphs of six sentences. */
export function makeText(random: () => number, length: number): string {
  const paragraphs: string[] = [];
  for (let count = 0; count < length;) {
    const paragraph = Array.from({ length: 6 }, () => makeSentence(random)).join(' ');
    count += paragraph.split(' ').length;
    paragraphs.push(paragraph);
  }
  return paragraphs.join('\n\n');
}

export interface CorpusShape {
  readonly files: number;
  readonly wordsPerFile: number;
  /** Every so-manieth file is a PDF; 0: none. */
  readonly pdfEvery?: number;
  /** Scripts and styles of a web page: bytes that are read and hashed and hold no text. */
  readonly pageBytes?: number;
}

/** Markdown, web pages and plain text in turn. */
export async function writeCorpus(folder: string, shape: CorpusShape): Promise<void> {
  const { files, wordsPerFile, pdfEvery = 0, pageBytes = 0 } = shape;
  await mkdir(folder, { recursive: true });
  // Only the benchmarks that want PDFs load what makes them.
  const { makeHtml, makePdf } = await import('../scripts/example-formats.ts');
  for (let n = 0; n < files; n += 1) {
    const random = makeRandom(n + 1);
    const sections = Array.from(
      { length: Math.ceil(wordsPerFile / 400) },
      (_, at) => `## Part ${at + 1}\n\n${makeText(random, Math.min(400, wordsPerFile))}`,
    );
    const markdown = `# Report ${n}\n\n${sections.join('\n\n')}\n`;
    const path = join(folder, `report-${String(n).padStart(5, '0')}`);
    if (pdfEvery > 0 && n % pdfEvery === 0) await writeFile(`${path}.pdf`, await makePdf(markdown));
    else if (pageBytes > 0 || n % 3 === 0)
      await writeFile(`${path}.html`, withScript(makeHtml(markdown), n, pageBytes));
    else await writeFile(`${path}.${n % 3 === 1 ? 'md' : 'txt'}`, markdown);
  }
}

function withScript(page: Buffer, n: number, bytes: number): string {
  const script =
    bytes === 0 ? '' : `<script>// page ${n}\n${'call(0x1f, "x");\n'.repeat(bytes / 17)}</script>`;
  return page.toString().replace('</head>', `${script}</head>`);
}
