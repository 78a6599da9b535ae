/** How much faster are several embed instances than one? */
import { join } from 'node:path';
import { writeCorpus } from './corpus.ts';
import { ingest, openScratch, type Ingested } from './program.ts';
import { report } from './results.ts';

const msPerText = 10;
const several = 3;

using scratch = openScratch();
const corpus = join(scratch.path, 'corpus');
await writeCorpus(corpus, { files: 600, wordsPerFile: 2400, pdfEvery: 15 });

async function measure(instances: number): Promise<Ingested> {
  using run = openScratch();
  return await ingest(corpus, { folder: run.path, msPerText, instances });
}

/** While there were texts: start and end cost what they cost, however many servers there are. */
function textsPerSecond({ standIns }: Ingested): number {
  const busy = standIns.filter(({ texts }) => texts > 0);
  const from = Math.min(...busy.map(({ firstWorkAt }) => firstWorkAt));
  const to = Math.max(...busy.map(({ lastWorkAt }) => lastWorkAt));
  return (1000 * busy.reduce((sum, { texts }) => sum + texts, 0)) / (to - from);
}

const [one, all] = [await measure(1), await measure(several)];
const shares = all.standIns.map(({ texts }) => texts);
report(
  import.meta.url,
  `How much faster are ${several} embed instances than one? ${one.summary.chunks} chunks.`,
  [
    {
      what: `texts a second, ${several} instances / ${several} times one`,
      value: textsPerSecond(all) / (several * textsPerSecond(one)),
      atLeast: 0.95,
    },
    { what: 'texts a second, one', value: textsPerSecond(one) },
    { what: `texts a second, ${several}`, value: textsPerSecond(all) },
    {
      what: 'texts of the instance with the fewest / with the most',
      value: Math.min(...shares) / Math.max(...shares),
    },
    { what: 'whole run, start to exit, one', value: one.wallSeconds, unit: 's' },
    { what: `whole run, start to exit, ${several}`, value: all.wallSeconds, unit: 's' },
  ],
  [
    `Each model takes ${msPerText} ms per text and works on one at a time. Texts a second are from the first text to the last vector.`,
  ],
);
