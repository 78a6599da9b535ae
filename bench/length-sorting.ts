/** What is it worth that the reranker takes passages of like length together? `node length-sorting.ts` */
import { join } from 'node:path';
import { python, runPython, sidecarScript, startPython, type Sidecar } from '../test/sidecar/sidecar.ts';
import { openScratch } from './program.ts';
import { quantile, report } from './results.ts';

const [batchSize, count, rounds] = [16, 128, 5];
const query = 'Which dose was used?';

/** From 8 to 256 words, as many below 45 as above it, in an order that does not know the length. */
const passages = Array.from({ length: count }, (_, n) => {
  const words = Math.round(8 * 32 ** (((n * 53) % count) / count));
  return 'the mean dose was 12 mg in both groups '.repeat(words / 8 + 1).slice(0, 5 * words);
});

/** Milliseconds that the sidecar took for all passages, so many of them in each request. */
async function timeOf(sidecar: Sidecar, perRequest: number): Promise<number> {
  let total = 0;
  for (let at = 0; at < count; at += perRequest) {
    const request = { id: at, op: 'rerank', query, passages: passages.slice(at, at + perRequest) };
    const answer = await sidecar.ask(request);
    if (answer['error'] !== undefined) throw new Error(JSON.stringify(answer));
    total += Number(answer['ms']);
  }
  return total;
}

async function measure(): Promise<void> {
  using scratch = openScratch();
  const models = join(import.meta.dirname, '../test/sidecar');
  const folder = join(scratch.path, 'gemma');
  const make = `import sys; sys.path.insert(0, ${JSON.stringify(models)}); import tiny_models; tiny_models.gemma(${JSON.stringify(folder)})`;
  const made = await runPython(['-c', make]);
  if (made.status !== 0) throw new Error(`${python} cannot make a model: ${made.stderr}`);
  const words = ['--allow-cpu', '--rerank', folder, '--batch-size', String(batchSize)];
  await using sidecar = startPython([sidecarScript, ...words]);
  await sidecar.first;
  await timeOf(sidecar, batchSize);
  const [sorted, unsorted]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round += 1) {
    sorted.push(await timeOf(sidecar, count));
    unsorted.push(await timeOf(sidecar, batchSize));
  }
  const [one, other] = [quantile(sorted, 0.5), quantile(unsorted, 0.5)];
  report(
    import.meta.url,
    'What is it worth that the reranker takes passages of like length together?',
    [
      { what: 'unsorted time / sorted time', value: other / one, atLeast: 1.5 },
      { what: `${count} passages in one request, sorted`, value: one, unit: 'ms' },
      { what: `the same ${batchSize} by ${batchSize} in their order`, value: other, unit: 'ms' },
    ],
    [
      `Passages of 8 to 256 words, batches of ${batchSize}, a tiny Gemma on one core; median of ${rounds} rounds, the model's time.`,
    ],
  );
}

await measure();
