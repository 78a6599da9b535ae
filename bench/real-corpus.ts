/** How does a folder of real documents go into an index? Without a model: the embedded engine, asked for by name. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { endedChildrenSeconds, treeBytes } from './process-tree.ts';
import { openScratch } from './program.ts';
import { report } from './results.ts';

interface Summary {
  readonly documents: Readonly<Record<'processed' | 'unchanged' | 'failed' | 'needs_ocr', number>>;
  readonly chunks: number;
  readonly seconds: number;
}

interface Run {
  readonly summary: Summary;
  readonly wallSeconds: number;
  readonly cpuSeconds: number;
  /** Sum of resident memory of all its processes, five times a second. */
  readonly bytes: readonly number[];
}

const supervisor = join(import.meta.dirname, '../dist/supervisor.js');
const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error('Usage: bench/run.sh real-corpus FOLDER');

async function run(corpus: string, scratch: string): Promise<Run> {
  const [cpuBefore, startedAt] = [endedChildrenSeconds(), performance.now()];
  const child = spawn(process.execPath, [supervisor, 'ingest', '--here', corpus, '--json'], {
    env: {
      PATH: process.env['PATH'],
      HOME: scratch,
      TMPDIR: join(scratch, 'tmp'),
      RAG_SHARED_ROOT: scratch,
      RAG_ENGINE: 'embedded',
      RAG_MAX_FAILED: '100%',
    },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const bytes: number[] = [];
  const sampling = setInterval(() => bytes.push(treeBytes(child.pid ?? 0)), 200);
  const [said] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  clearInterval(sampling);
  return {
    summary: JSON.parse(said.trim().split('\n').at(-1) ?? '') as Summary,
    wallSeconds: (performance.now() - startedAt) / 1000,
    cpuSeconds: endedChildrenSeconds() - cpuBefore,
    bytes,
  };
}

const mebibytes = (values: readonly number[]): number => Math.max(...values) / 2 ** 20;

using scratch = openScratch();
mkdirSync(join(scratch.path, 'tmp'));
const first = await run(folder, scratch.path);
const again = await run(folder, scratch.path);
const { documents, chunks } = first.summary;
const half = first.bytes.length >> 1;
report(
  import.meta.url,
  `How does a folder of real documents go into an index? ${documents.processed + documents.failed + documents.needs_ocr} files, with the embedded engine.`,
  [
    { what: 'documents in the index', value: documents.processed },
    { what: 'set aside: failed', value: documents.failed },
    { what: 'set aside: pages without text', value: documents.needs_ocr },
    { what: 'chunks', value: chunks },
    { what: 'whole run, start to exit', value: first.wallSeconds, unit: 's' },
    { what: 'CPU of all processes', value: first.cpuSeconds, unit: 's' },
    { what: 'documents a second', value: documents.processed / first.wallSeconds },
    { what: 'chunks a second', value: chunks / first.wallSeconds },
    {
      what: 'peak memory of the second half / of the first',
      value: mebibytes(first.bytes.slice(half)) / mebibytes(first.bytes.slice(0, half)),
      atMost: 1.25,
    },
    { what: 'peak memory', value: mebibytes(first.bytes), unit: 'MiB' },
    { what: 'the same again, nothing changed: whole run', value: again.wallSeconds, unit: 's' },
  ],
  [
    'Memory is the sum over all processes, five times a second; shared pages count for each of them.',
    'Parsing, chunking, vectors of hashed words, and writing share the cores.',
  ],
);
