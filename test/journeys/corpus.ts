/** Documents about nothing, each with a word of its own, in the formats that users have. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeHtml, makePdf } from '../../scripts/example-formats.ts';

/** Settings that make many chunks of a small corpus: its ingest takes seconds, and several commits. */
export const smallChunks = { RAG_CHUNK_TOKENS: '32', RAG_CHUNK_OVERLAP: '0' };

const subjects = ['turbine', 'glacier', 'violin', 'harbour', 'lantern', 'orchard', 'compass', 'quarry'];

function makeMarkdown(n: number, paragraphs: number): string {
  const subject = subjects[n % subjects.length] ?? 'thing';
  const body = Array.from(
    { length: paragraphs },
    (_, at) =>
      `## Part ${at + 1}\n\n${`Report ${n} says in part ${at + 1} that the ${subject} was inspected and measured. `.repeat(12)}\n`,
  );
  return `# Report ${n}: the ${subject}\n\nThe code word of report ${n} is codeword${n}.\n\n${body.join('\n')}`;
}

/** Writes `count` documents (Markdown, HTML and PDF in turn) and gives their number back. */
export async function writeCorpus(folder: string, count: number, paragraphs: number): Promise<number> {
  await mkdir(folder, { recursive: true });
  for (let n = 0; n < count; n += 1) {
    const markdown = makeMarkdown(n, paragraphs);
    const made = [
      ['md', Buffer.from(markdown)],
      ['html', makeHtml(markdown)],
      ['pdf', await makePdf(markdown)],
    ] as const;
    const [extension, bytes] = made[n % 3] ?? made[0];
    await writeFile(join(folder, `report-${String(n).padStart(3, '0')}.${extension}`), bytes);
  }
  return count;
}
