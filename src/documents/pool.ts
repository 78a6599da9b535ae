import { Piscina } from 'piscina';
import { messageOf, RagError } from '../errors.ts';
import { siblingPath } from '../sibling.ts';
import { failedTask } from './failed.ts';
import { openGate } from './gate.ts';
import type { HashOrder } from './hash-task.ts';
import { convertOutside, type ForOutside, type Outside } from './outside.ts';
import type { ParseOrder } from './parse-task.ts';
import type { ChunkerOptions, ParsedDocument, ParserPool, ParseTask } from './types.ts';

export interface ParserPoolOptions {
  readonly threads: number;
  readonly chunker: ChunkerOptions;
  /** Larger files are failed without being read: the heap limit of a thread does not cover buffers. */
  readonly maxFileBytes: number;
  /** From the moment a thread has the file; waiting for a thread does not count. */
  readonly timeoutMsPerFile: number;
  /** Of the files that all threads read at the same time; a larger one is read alone. */
  readonly maxBytesAtOnce?: number;
  /** For PDFs and pictures; without one our own readers read what they can. */
  readonly outside?: Outside | undefined;
}

/** Eight threads with a file of the largest size each would need 4 GiB for their bytes alone. */
const defaultBytesAtOnce = 512 * 1024 * 1024;

/** JavaScript heap of one thread. */
const maxHeapMiB = 1024;
/** Part of it. V8 takes 48 by itself, of which a parser makes no use. */
const maxYoungHeapMiB = 12;
/** Idle threads end after this, so that a quiet service does not hold their memory. */
const idleMs = 30_000;

/**
 * Threads that read, recognise, parse and chunk. `parse` resolves for every document, good or bad: one that
 * hangs or kills its thread is failed, the thread is replaced and the other tasks go on.
 *
 * @param worker the module that runs in the threads
 * @throws aborted from `parse`, by its signal or when the pool has been disposed of
 */
export function openParserPool(
  options: ParserPoolOptions,
  worker: string = siblingPath(import.meta.url, './parse-task'),
): ParserPool {
  const threads = new Piscina<ParseOrder, Answer>({
    filename: worker,
    minThreads: 1,
    maxThreads: options.threads,
    idleTimeout: idleMs,
    recordTiming: false,
    // Waking a thread by Atomics costs the loop 0.1 ms a file, by its port much less: 5 % of an ingest's CPU.
    atomics: 'disabled',
    resourceLimits: { maxOldGenerationSizeMb: maxHeapMiB, maxYoungGenerationSizeMb: maxYoungHeapMiB },
  });
  // A thread that dies between two tasks: piscina starts another. Without a listener the process would end.
  threads.on('error', () => {});
  const gate = openGate(options.threads, options.maxBytesAtOnce ?? defaultBytesAtOnce);
  const closing = new AbortController();
  return {
    threads: options.threads,
    async parse(task, signal) {
      const bytes = bytesOf(task);
      await gate.enter(bytes);
      try {
        return await parse(threads, task, options, [signal, closing.signal]);
      } finally {
        gate.leave(bytes);
      }
    },
    async hashes(paths, maxFileBytes, signal) {
      const order: HashOrder = { paths, maxFileBytes };
      await gate.enter(paths.length * maxFileBytes);
      try {
        return await runHashes(threads, order, options, [signal, closing.signal]);
      } finally {
        gate.leave(paths.length * maxFileBytes);
      }
    },
    async [Symbol.asyncDispose]() {
      closing.abort();
      await threads.destroy();
    },
  };
}

const bytesOf = (task: ParseTask): number => (task.kind === 'rows' ? task.to - task.from : (task.bytes ?? 0));

type Answer = ParsedDocument[] | ForOutside;
type Threads = Piscina<ParseOrder, Answer>;
type Ending = 'stopped' | 'timed-out';

async function parse(
  threads: Threads,
  task: ParseTask,
  options: ParserPoolOptions,
  stops: readonly AbortSignal[],
): Promise<ParsedDocument[]> {
  const { chunker, maxFileBytes, outside } = options;
  const order = { task, chunker, maxFileBytes };
  if (outside === undefined) return asDocuments(await runOrder(threads, order, options, stops));
  const answer = await runOrder(threads, { ...order, outside: 'there is one' }, options, stops);
  if (Array.isArray(answer)) return answer;
  const { hash, suffix } = answer;
  const file = { path: task.path, suffix };
  const read = async (folder: string): Promise<ParsedDocument[]> =>
    asDocuments(await runOrder(threads, { ...order, outside: { folder, hash } }, options, stops));
  const converted = await withEnding(stops, ({ signal }) => convertOutside(outside, file, signal, read));
  if (Array.isArray(converted)) return converted;
  if (converted.outcome === 'aborted') throw stopped(task);
  return [failedTask(task, `RAG_PARSER: ${converted.reason}`, hash)];
}

const asDocuments = (answer: Answer): ParsedDocument[] => (Array.isArray(answer) ? answer : []);

const stopped = (task: ParseTask): RagError => new RagError('aborted', `Cannot parse ${task.path}: stopped`);

async function runOrder(
  threads: Threads,
  order: ParseOrder,
  { timeoutMsPerFile }: ParserPoolOptions,
  stops: readonly AbortSignal[],
): Promise<Answer> {
  return withEnding(stops, async (ending) => {
    const timer = setTimeout(() => ending.abort('timed-out' satisfies Ending), timeoutMsPerFile);
    try {
      // Aborting a task ends its thread: nothing else stops a parser that does not return.
      return await threads.run(order, { signal: ending.signal });
    } catch (error) {
      const why: unknown = ending.signal.reason;
      if (why === 'stopped') throw stopped(order.task);
      const reason =
        why === 'timed-out' ? `it took longer than ${timeoutMsPerFile / 1000} s` : deathOf(error);
      return [failedTask(order.task, reason)];
    } finally {
      clearTimeout(timer);
    }
  });
}

const hashTask = siblingPath(import.meta.url, './hash-task');

/** Of a task that is stopped or takes too long nothing is known; parsing its files one by one finds out why. */
async function runHashes(
  threads: Threads,
  order: HashOrder,
  { timeoutMsPerFile }: ParserPoolOptions,
  stops: readonly AbortSignal[],
): Promise<(string | null)[]> {
  return withEnding(stops, async (ending) => {
    const timer = setTimeout(() => ending.abort('timed-out' satisfies Ending), timeoutMsPerFile);
    try {
      const { signal } = ending;
      return (await threads.run(order as never, { filename: hashTask, signal })) as unknown as (
        | string
        | null
      )[];
    } catch {
      return order.paths.map(() => null);
    } finally {
      clearTimeout(timer);
    }
  });
}

/** @param stops not joined by AbortSignal.any: signals that live as long as the job would collect dependants */
async function withEnding<Result>(
  stops: readonly AbortSignal[],
  use: (ending: AbortController) => Promise<Result>,
): Promise<Result> {
  const ending = new AbortController();
  const stop = (): void => ending.abort('stopped' satisfies Ending);
  for (const signal of stops) signal.addEventListener('abort', stop);
  if (stops.some((signal) => signal.aborted)) stop();
  try {
    return await use(ending);
  } finally {
    for (const signal of stops) signal.removeEventListener('abort', stop);
  }
}

/** Why a thread died: parse-task itself never throws. */
function deathOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ERR_WORKER_OUT_OF_MEMORY') return `its parser needed more than ${maxHeapMiB} MiB of memory`;
  return `its parser died: ${messageOf(error)}`;
}
