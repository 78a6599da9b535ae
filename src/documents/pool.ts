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
  /** Of the files that all threads read at the same time; a larger one is read alone. */
  readonly maxBytesAtOnce?: number;
}

/** Eight threads with a file of the largest size each would need 4 GiB for their bytes alone. */
const defaultBytesAtOnce = 512 * 1024 * 1024;

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
  const gate = openGate(options.threads, options.maxBytesAtOnce ?? defaultBytesAtOnce);
  const closing = new AbortController();
  return {
    threads: options.threads,
    async parse(task, signal) {
      const bytes = bytesOf(task);
      await gate.enter(bytes);
      try {
        return await runTask(threads, task, options, [signal, closing.signal]);
      } finally {
        gate.leave(bytes);
      }
    },
    async [Symbol.asyncDispose]() {
      closing.abort();
      await threads.destroy();
    },
  };
}

const bytesOf = (task: ParseTask): number => (task.kind === 'rows' ? task.to - task.from : (task.bytes ?? 0));

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
  enter(bytes: number): Promise<void>;
  leave(bytes: number): void;
}

interface Waiting {
  readonly bytes: number;
  readonly enter: () => void;
}

/**
 * Lets `places` tasks in at a time, in order, so that a task's deadline starts when a thread is free for it, and
 * together no more than `maxBytes`, but for one that is larger by itself.
 */
function openGate(places: number, maxBytes: number): Gate {
  let inside = 0;
  let held = 0;
  const waiting: Waiting[] = [];
  const admit = (): void => {
    for (let next = waiting[0]; next !== undefined; next = waiting[0]) {
      const fits = inside === 0 || (inside < places && held + next.bytes <= maxBytes);
      if (!fits) return;
      waiting.shift();
      inside++;
      held += next.bytes;
      next.enter();
    }
  };
  return {
    async enter(bytes) {
      await new Promise<void>((enter) => {
        waiting.push({ bytes, enter });
        admit();
      });
    },
    leave(bytes) {
      inside--;
      held -= bytes;
      admit();
    },
  };
}
