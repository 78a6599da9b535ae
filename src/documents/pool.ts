import { Piscina } from 'piscina';
import { messageOf, RagError } from '../errors.ts';
import { siblingPath } from '../sibling.ts';
import { failedTask } from './failed.ts';
import type { ParseOrder } from './parse-task.ts';
import type { ChunkerOptions, ParsedDocument, ParserPool, ParseTask } from './types.ts';

export interface ParserPoolOptions {
  readonly threads: number;
  readonly chunker: ChunkerOptions;
  /** Larger files are failed without being read: the heap limit of a thread does not cover buffers. */
  readonly maxFileBytes: number;
  /** From the moment a thread has the file; waiting for a thread does not count. */
  readonly timeoutMsPerFile: number;
}

/** JavaScript heap of one thread. */
const maxHeapMiB = 1024;
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
  const threads = new Piscina<ParseOrder, ParsedDocument[]>({
    filename: worker,
    minThreads: 1,
    maxThreads: options.threads,
    idleTimeout: idleMs,
    recordTiming: false,
    resourceLimits: { maxOldGenerationSizeMb: maxHeapMiB },
  });
  // A thread that dies between two tasks: piscina starts another. Without a listener the process would end.
  threads.on('error', () => {});
  const gate = openGate(options.threads);
  const closing = new AbortController();
  return {
    threads: options.threads,
    async parse(task, signal) {
      await gate.enter();
      try {
        return await runTask(threads, task, options, [signal, closing.signal]);
      } finally {
        gate.leave();
      }
    },
    async [Symbol.asyncDispose]() {
      closing.abort();
      await threads.destroy();
    },
  };
}

type Threads = Piscina<ParseOrder, ParsedDocument[]>;
type Ending = 'stopped' | 'timed-out';

/** @param stops not joined by AbortSignal.any: signals that live as long as the job would collect dependants */
async function runTask(
  threads: Threads,
  task: ParseTask,
  options: ParserPoolOptions,
  stops: readonly AbortSignal[],
): Promise<ParsedDocument[]> {
  const { chunker, maxFileBytes, timeoutMsPerFile } = options;
  const ending = new AbortController();
  const end = (why: Ending): void => ending.abort(why);
  const stop = (): void => end('stopped');
  for (const signal of stops) signal.addEventListener('abort', stop);
  if (stops.some((signal) => signal.aborted)) stop();
  const timer = setTimeout(end, timeoutMsPerFile, 'timed-out');
  try {
    // Aborting a task ends its thread: nothing else stops a parser that does not return.
    return await threads.run({ task, chunker, maxFileBytes }, { signal: ending.signal });
  } catch (error) {
    const why: unknown = ending.signal.reason;
    if (why === 'stopped') throw new RagError('aborted', `Cannot parse ${task.path}: stopped`);
    const reason = why === 'timed-out' ? `it took longer than ${timeoutMsPerFile / 1000} s` : deathOf(error);
    return [failedTask(task, reason)];
  } finally {
    clearTimeout(timer);
    for (const signal of stops) signal.removeEventListener('abort', stop);
  }
}

/** Why a thread died: parse-task itself never throws. */
function deathOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ERR_WORKER_OUT_OF_MEMORY') return `its parser needed more than ${maxHeapMiB} MiB of memory`;
  return `its parser died: ${messageOf(error)}`;
}

interface Gate {
  enter(): Promise<void>;
  leave(): void;
}

/** Lets `places` in at a time, in order, so that a task's deadline starts when a thread is free for it. */
function openGate(places: number): Gate {
  let free = places;
  const waiting: (() => void)[] = [];
  return {
    async enter() {
      if (free > 0) free--;
      else await new Promise<void>((resolve) => waiting.push(resolve));
    },
    leave() {
      const next = waiting.shift();
      if (next === undefined) free++;
      else next();
    },
  };
}
