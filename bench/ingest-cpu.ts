/** What does the program itself cost for 1,000 chunks, beside a client that does only what must be done? */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { writeCorpus } from './corpus.ts';
import { endedChildrenSeconds } from './process-tree.ts';
import { ingest, openScratch, standIn } from './program.ts';
import { quantile, report } from './results.ts';

const rounds = 3;

interface Cost {
  readonly chunks: number;
  readonly cpuSeconds: number;
  readonly wallSeconds: number;
}

/** The minimal client, without the stand-in that it talks to. */
async function runMinimalClient(corpus: string, folder: string, characters: number): Promise<Cost> {
  const server = spawn(process.execPath, [standIn], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(server, 'exit');
  try {
    const [port] = (await once(createInterface(server.stdout), 'line')) as [string];
    const client = join(import.meta.dirname, 'minimal-client.ts');
    const output = join(folder, 'vectors.f32');
    const started = performance.now();
    const before = endedChildrenSeconds();
    const words = [client, corpus, `http://127.0.0.1:${port}`, output, String(characters)];
    const { stdout } = await promisify(execFile)(process.execPath, words);
    const wallSeconds = (performance.now() - started) / 1000;
    return { chunks: Number(stdout), cpuSeconds: endedChildrenSeconds() - before, wallSeconds };
  } finally {
    server.kill('SIGTERM');
    await exited;
  }
}

async function runProgram(corpus: string): Promise<Cost> {
  using scratch = openScratch();
  const { summary, cpuSeconds, wallSeconds } = await ingest(corpus, { folder: scratch.path });
  return { chunks: summary.chunks, cpuSeconds, wallSeconds };
}

using scratch = openScratch();
const corpus = join(scratch.path, 'corpus');
const single = join(scratch.path, 'single');
await writeCorpus(corpus, { files: 600, wordsPerFile: 2400 });
await writeCorpus(single, { files: 1, wordsPerFile: 100 });

const program: Cost[] = [];
const minimal: Cost[] = [];
const fixed: Cost[] = [];
for (let round = 0; round < rounds; round += 1) {
  program.push(await runProgram(corpus));
  // Cut so that both make about as many chunks of about the same length.
  minimal.push(await runMinimalClient(corpus, scratch.path, 2000));
  fixed.push(await runProgram(single));
}

const median = (costs: readonly Cost[], of: (cost: Cost) => number): number => quantile(costs.map(of), 0.5);
const perThousand = ({ cpuSeconds, chunks }: Cost): number => (1000 * cpuSeconds) / chunks;
const [ours, theirs] = [median(program, perThousand), median(minimal, perThousand)];
const chunks = program[0]?.chunks ?? 0;
const fixedSeconds = median(fixed, ({ cpuSeconds }) => cpuSeconds);
report(
  import.meta.url,
  `What does the program itself cost for 1,000 chunks of text? ${chunks} chunks, 1024 dimensions, a model that takes no time.`,
  [
    { what: 'the program, all of its processes', value: ours, unit: 'CPU-s per 1,000', atMost: 0.5 },
    { what: 'of it, start, end and text index of a single file', value: fixedSeconds, unit: 'CPU-s' },
    { what: 'each further 1,000', value: ours - (1000 * fixedSeconds) / chunks, unit: 'CPU-s per 1,000' },
    { what: 'minimal client', value: theirs, unit: 'CPU-s per 1,000' },
    { what: 'program / minimal client', value: ours / theirs },
    {
      what: 'chunks a second, program',
      value: chunks / median(program, ({ wallSeconds }) => wallSeconds),
    },
    {
      what: 'chunks a second, minimal client',
      value: median(minimal, (cost) => cost.chunks / cost.wallSeconds),
    },
  ],
  [
    `Median of ${rounds}. The minimal client (${minimal[0]?.chunks ?? 0} chunks) reads, cuts by length, embeds and writes raw floats.`,
    'The stand-in is not counted, but it works on the same cores.',
  ],
);
