/** Does an ingest of ten times the corpus need more memory? */
import { join } from 'node:path';
import { writeCorpus } from './corpus.ts';
import { ingest, openScratch, type Ingested } from './program.ts';
import { report } from './results.ts';

const files = 300;

async function measure(count: number): Promise<Ingested> {
  using scratch = openScratch();
  const corpus = join(scratch.path, 'corpus');
  await writeCorpus(corpus, { files: count, wordsPerFile: 4000, pdfEvery: 50 });
  return await ingest(corpus, { folder: scratch.path, sampleMemory: true });
}

const [one, ten] = [await measure(files), await measure(10 * files)];
const mebibytes = ({ peakBytes }: Ingested): number => peakBytes / 2 ** 20;
report(
  import.meta.url,
  `Does an ingest of ten times the corpus need more memory? ${one.summary.chunks} and ${ten.summary.chunks} chunks, every 50th file a PDF.`,
  [
    { what: 'peak, ten times the corpus / the corpus', value: ten.peakBytes / one.peakBytes, atMost: 1.25 },
    { what: 'peak, the corpus', value: mebibytes(one), unit: 'MiB' },
    { what: 'peak, ten times the corpus', value: mebibytes(ten), unit: 'MiB' },
  ],
  [
    'Sum of the resident memory of all processes but the stand-in, ten times a second. Shared pages count for each process.',
  ],
);
