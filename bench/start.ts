/** How soon after its model servers is the service ready, and what does it cost to wait? */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { secondsOf } from './process-tree.ts';
import { openScratch, startProgram, type Ended } from './program.ts';
import { quantile, report } from './results.ts';

const rounds = 7;
const idleSeconds = 60;

async function bareStart(): Promise<number> {
  const started = performance.now();
  await promisify(execFile)(process.execPath, ['-e', '0']);
  return performance.now() - started;
}

interface Start extends Ended {
  readonly readyAt: number;
  /** Share of a core that the supervisor took while nothing happened; 0 when `idleMs` is 0. */
  readonly idleShare: number;
}

async function start(idleMs: number): Promise<Start> {
  using scratch = openScratch();
  const program = startProgram(['run', '--mode', 'serve'], { folder: scratch.path });
  const over = new AbortController();
  const ended = program.ended.finally(() => over.abort());
  const file = join(scratch.path, 'runtime/ollama_service.json');
  while (!over.signal.aborted && !existsSync(file)) await sleep(2);
  const readyAt = Date.now();
  await sleep(idleMs === 0 ? 0 : 2000); // what a start leaves to do is not idleness
  const before = secondsOf(program.pid);
  await sleep(idleMs);
  const idleShare = idleMs === 0 ? 0 : (secondsOf(program.pid) - before) / (idleMs / 1000);
  program.stop();
  return { ...(await ended), readyAt, idleShare };
}

const bare: number[] = [];
const starts: Start[] = [];
for (let round = 0; round < rounds; round += 1) {
  bare.push(await bareStart());
  starts.push(await start(0));
}
const idle = await start(idleSeconds * 1000);

const median = (of: (start: Start) => number): number => quantile(starts.map(of), 0.5);
const answering = ({ standIns }: Start): number =>
  Math.max(...standIns.map(({ listeningAt }) => listeningAt));
const bareMs = quantile(bare, 0.5);
const allowedMs = 1.5 * bareMs + 50;
report(
  import.meta.url,
  'How soon after its model servers is the service ready, and what does it cost to wait? Embedder, generator and reranker.',
  [
    {
      what: 'from the last server that answers to the endpoint file',
      value: median((start) => start.readyAt - answering(start)),
      unit: 'ms',
      atMost: allowedMs,
    },
    { what: 'a bare Node start; 1.5 times this and 50 ms are wanted', value: bareMs, unit: 'ms' },
    {
      what: 'from start to a server that answers',
      value: median((start) => answering(start) - start.startedAt),
      unit: 'ms',
    },
    {
      what: 'from start to the endpoint file',
      value: median((start) => start.readyAt - start.startedAt),
      unit: 'ms',
    },
    {
      what: `idle supervisor over ${idleSeconds} s`,
      value: 100 * idle.idleShare,
      unit: '% of a core',
      atMost: 0.5,
    },
  ],
  [`Median of ${rounds} starts. CPU time is counted in ticks of 10 ms.`],
);
