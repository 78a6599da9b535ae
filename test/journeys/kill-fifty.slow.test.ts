/**
 * Fifty times kill -9, at moments that a seed has chosen, while four supervisors ingest 200 documents into one
 * index: in every other round as tasks of an array, which share the work, else as four that know nothing of each other.
 */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { Program } from './program.ts';
import { corpusIn, inspect, type Inspection, startTask, summaryOf, writeDistinctCorpus } from './tasks.ts';

const kills = 50;
const killsPerRound = 10;
/** From one kill to the next: a life of start, listing, embedding, commits and merge lasts some four seconds. */
const longestPauseMs = 2500;
const writers = 4;

let folder: string;
let clean: Inspection;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rag-fifty-'));
  await writeDistinctCorpus(corpusIn(folder), 200, 10);
  summaryOf(await startTask({ folder, index: 'clean', task: 0 }).ended);
  clean = await inspect(folder, 'clean');
});
after(() => rm(folder, { recursive: true }));

/** Numbers in [0, 1): mulberry32. */
function makeRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), 1 | state);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface Life {
  readonly task: number;
  readonly restart: number;
  readonly program: Program;
  hasEnded: boolean;
}

/** @returns how many were killed */
async function runRound(round: number, most: number, random: () => number): Promise<number> {
  const start = (task: number, restart: number): Life => {
    const array = round % 2 === 0 ? { array: 1000 * (round + 1) } : {};
    const program = startTask({ folder, index: `round-${round}`, task, restart, ...array });
    const life: Life = { task, restart, program, hasEnded: false };
    void program.ended.then(() => (life.hasEnded = true));
    return life;
  };
  const lives = Array.from({ length: writers }, (_, task) => start(task, 0));
  let killed = 0;
  while (killed < most) {
    await pause(random() * longestPauseMs);
    const running = lives.filter(({ hasEnded }) => !hasEnded);
    const victim = running[Math.floor(random() * running.length)];
    if (victim === undefined) break;
    process.kill(victim.program.pid, 'SIGKILL');
    await victim.program.ended;
    killed += 1;
    lives[victim.task] = start(victim.task, victim.restart + 1);
  }
  for (const { program } of lives) summaryOf(await program.ended);
  return killed;
}

test('fifty kills at any moment lose and double nothing', { timeout: 240_000 }, async (t) => {
  const random = makeRandom(20_260_512);
  let round = 0;
  for (let killed = 0; killed < kills; round += 1) {
    const now = await runRound(round, Math.min(killsPerRound, kills - killed), random);
    killed += now;
    const { documents, chunks } = await inspect(folder, `round-${round}`);
    t.diagnostic(`round ${round}: ${now} killed, ${documents.processed} documents, ${chunks} chunks`);
    assert.deepEqual([documents, chunks], [clean.documents, clean.chunks], `after round ${round}`);
  }
});
