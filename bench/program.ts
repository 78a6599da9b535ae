/** The whole program as users run it, against the stand-in. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { endedChildrenSeconds, treeBytes } from './process-tree.ts';
import type { StandInRecord } from './stand-in.ts';

const supervisor = join(import.meta.dirname, '../dist/supervisor.js');
const loopDelay = join(import.meta.dirname, 'loop-delay.ts');
export const standIn: string = join(import.meta.dirname, 'stand-in.ts');

export interface Scratch extends Disposable {
  readonly path: string;
}

/** A folder that goes with its owner. */
export function openScratch(): Scratch {
  const path = mkdtempSync(join(tmpdir(), 'rag-bench-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/** What `--json` prints at the end. */
interface Summary {
  readonly documents: { readonly processed: number; readonly unchanged: number; readonly failed: number };
  readonly chunks: number;
  readonly embedded: number;
  readonly seconds: number;
}

export interface Ended {
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly endedAt: number;
  /** From start to exit. */
  readonly wallSeconds: number;
  /** Of all its processes but the stand-ins. */
  readonly cpuSeconds: number;
  /** Highest sum of resident memory over its processes but the stand-ins; 0 unless it was asked for. */
  readonly peakBytes: number;
  readonly standIns: readonly StandInRecord[];
  readonly stdout: string;
}

export interface ProgramOptions {
  /** Everything it writes goes there: index, logs, endpoint file under `runtime`. */
  readonly folder: string;
  /** Service time of the model. */
  readonly msPerText?: number;
  readonly sampleMemory?: boolean;
  /** Embed instances; 1 when nothing is said. */
  readonly instances?: number;
  /** Numbers in a vector; 1,024 when nothing is said. */
  readonly dimensions?: number;
  /** File for how late the event loop of the supervisor was. */
  readonly loopRecord?: string;
  /** More words on its command line. */
  readonly flags?: readonly string[];
}

export interface Program {
  readonly pid: number;
  readonly startedAt: number;
  /** @throws when it fails */
  readonly ended: Promise<Ended>;
  stop(): void;
}

/** One at a time: CPU time is told for all children that have ended since the start. */
export function startProgram(words: readonly string[], options: ProgramOptions): Program {
  const records = mkdtempSync(join(options.folder, 'stand-ins-'));
  const cpuBefore = endedChildrenSeconds();
  const startedAt = Date.now();
  const child = spawn(process.execPath, [supervisor, ...words], {
    cwd: options.folder,
    env: makeEnvironment(options, records),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const pid = child.pid ?? 0;
  let peakBytes = 0;
  const sample = (): void => void (peakBytes = Math.max(peakBytes, treeBytes(pid)));
  const sampling = options.sampleMemory === true ? setInterval(sample, 100) : undefined;
  const said = Promise.all([text(child.stdout), text(child.stderr)]);
  const ended = once(child, 'exit').then(async ([code]: unknown[]) => {
    const endedAt = Date.now();
    clearInterval(sampling);
    const [stdout, stderr] = await said;
    if (code !== 0) throw new Error(`The program ended with ${String(code)}:\n${stdout}${stderr}`);
    const standIns = readdirSync(records).map(
      (name) => JSON.parse(readFileSync(join(records, name), 'utf8')) as StandInRecord,
    );
    const standInSeconds = standIns.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0);
    const wallSeconds = (endedAt - startedAt) / 1000;
    const cpuSeconds = endedChildrenSeconds() - cpuBefore - standInSeconds;
    return { startedAt, endedAt, wallSeconds, cpuSeconds, peakBytes, standIns, stdout };
  });
  return { pid, startedAt, ended, stop: () => void child.kill('SIGTERM') };
}

/** Nothing of the caller's own settings. */
function makeEnvironment(options: ProgramOptions, records: string): NodeJS.ProcessEnv {
  const { folder, msPerText = 0, instances = 1, dimensions = 1024, loopRecord } = options;
  const temporary = join(folder, 'tmp');
  mkdirSync(temporary, { recursive: true });
  return {
    // The stand-in must run under the Node that is measured.
    PATH: [dirname(process.execPath), process.env['PATH']].join(delimiter),
    HOME: folder,
    TMPDIR: temporary,
    RAG_SHARED_ROOT: folder,
    LOG_ROOT: join(folder, 'logs'),
    RAG_ALLOW_CPU: '1',
    OLLAMA_BIN: standIn,
    STAND_IN_MS: String(msPerText),
    STAND_IN_RECORD: records,
    OLLAMA_INSTANCES: String(instances),
    RAG_EMBED_DIMENSIONS: String(dimensions),
    STAND_IN_DIMENSIONS: String(dimensions),
    ...(loopRecord !== undefined && { NODE_OPTIONS: `--import ${loopDelay}`, LOOP_RECORD: loopRecord }),
  };
}

export interface Ingested extends Ended {
  readonly summary: Summary;
  /** Of the embedder. */
  readonly standIn: StandInRecord;
}

export async function ingest(corpus: string, options: ProgramOptions): Promise<Ingested> {
  const words = ['run', '--mode', 'ingest', '--input-file', corpus, '--json', ...(options.flags ?? [])];
  const ended = await startProgram(words, options).ended;
  const summary = JSON.parse(ended.stdout.trim().split('\n').at(-1) ?? '') as Summary;
  const [standIn] = ended.standIns;
  if (standIn === undefined || summary.documents.failed > 0) throw new Error(`It failed: ${ended.stdout}`);
  return { ...ended, summary, standIn };
}
