/** Does the event loop of the supervisor stay free during an ingest? Signals, pings and questions wait for it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeCorpus } from './corpus.ts';
import type { LoopRecord } from './loop-delay.ts';
import { ingest, openScratch } from './program.ts';
import { report } from './results.ts';

const dimensions = 4096;

async function measure(msPerText: number): Promise<LoopRecord & { readonly chunks: number }> {
  using scratch = openScratch();
  const corpus = join(scratch.path, 'corpus');
  const loopRecord = join(scratch.path, 'loop.json');
  await writeCorpus(corpus, { files: 300, wordsPerFile: 2400, pdfEvery: 15 });
  const { summary } = await ingest(corpus, { folder: scratch.path, msPerText, dimensions, loopRecord });
  return { ...(JSON.parse(readFileSync(loopRecord, 'utf8')) as LoopRecord), chunks: summary.chunks };
}

const [busy, real] = [await measure(0), await measure(5)];
report(
  import.meta.url,
  `Does the event loop of the supervisor stay free during an ingest? ${real.chunks} chunks, ${dimensions} dimensions.`,
  [
    { what: 'delay, a model that takes 5 ms per text: p99', value: real.p99, unit: 'ms', atMost: 20 },
    { what: 'p50', value: real.p50, unit: 'ms' },
    { what: 'most', value: real.max, unit: 'ms' },
    { what: 'delay, a model that takes no time: p99', value: busy.p99, unit: 'ms', atMost: 20 },
    { what: 'p50', value: busy.p50, unit: 'ms' },
    { what: 'most', value: busy.max, unit: 'ms' },
  ],
  ['By a timer of 1 ms, from start to exit: loading the program and starting its processes are the longest.'],
);
