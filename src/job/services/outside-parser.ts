/** Runs the outside parser (RAG_PARSER), one document a process, as many at a time as the machine has room for. */
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Conversion, OutsideParser } from '../../documents/outside.ts';
import { messageOf } from '../../errors.ts';
import type { Log } from '../../observe/log.ts';
import { type ParserProgram, saidBy } from '../../services/parser-program.ts';
import { type CommandEnd, runCommand } from '../../supervise/command.ts';
import type { Containment } from '../../supervise/containment.ts';
import { orAborted } from '../../supervise/pause.ts';
import type { Folders } from '../folders.ts';

export interface OutsideParserOptions {
  readonly program: ParserProgram;
  /** Its slice. None: it works on the CPU, and sees no GPU. */
  readonly gpus: readonly string[];
  readonly cpus: number;
  /** Of the run, its mark included. */
  readonly baseEnv: Readonly<Record<string, string>>;
  readonly folders: Pick<Folders, 'logs' | 'scratch'>;
  readonly containment: Containment;
  readonly log: Pick<Log, 'file'>;
  readonly timeLimitMs?: (bytes: number) => number;
}

/** Disposing it ends what still runs, and returns when that is gone. */
export interface OpenOutsideParser extends OutsideParser, AsyncDisposable {}

/** What one process at a time has for itself. */
interface Lane {
  readonly logFile: string;
  readonly env: Readonly<Record<string, string>>;
}

const hourMs = 3_600_000;
const mebibyte = 1024 * 1024;
/** What the parsers take by default, and what their models gain from; each process also needs some GiB of memory. */
const threadsPerLane = 4;
const mostLanes = 8;
/** Python's tracker of shared memory outlives a TERM to clean up. */
const graceMs = 2_000;

/**
 * A MiB of PDF may be one scan or some hundred pages, and a page takes seconds on a CPU. Pages are not known before
 * they are read.
 */
const generousLimitMs = (bytes: number): number =>
  Math.min(6 * hourMs, ((1 + bytes / mebibyte) * hourMs) / 3);

export function openOutsideParser(options: OutsideParserOptions): OpenOutsideParser {
  const lanes = openLanes(makeLanes(options));
  const running = new Map<AbortController, Promise<Conversion>>();
  const convert = async (input: string, output: string, signal: AbortSignal): Promise<Conversion> => {
    const lane = await lanes.enter(signal);
    if (lane === 'aborted') return stopped;
    try {
      return await convertIn(lane, { ...options, input, output }, signal);
    } catch (error) {
      return { outcome: 'failed', reason: messageOf(error) };
    } finally {
      lanes.leave(lane);
    }
  };
  return {
    async convert(input, output, signal) {
      const ending = new AbortController();
      const stop = (): void => ending.abort();
      signal.addEventListener('abort', stop);
      if (signal.aborted) stop();
      const conversion = convert(input, output, ending.signal);
      running.set(ending, conversion);
      try {
        return await conversion;
      } finally {
        running.delete(ending);
        signal.removeEventListener('abort', stop);
      }
    },
    async [Symbol.asyncDispose]() {
      for (const ending of running.keys()) ending.abort();
      await Promise.all(running.values());
    },
  };
}

const stopped: Conversion = { outcome: 'aborted', reason: 'stopped' };

/** One for each GPU of its slice, which that one alone sees; on the CPU one for every few cores. */
export function makeLanes({
  gpus,
  cpus,
  baseEnv,
  folders,
}: Pick<OutsideParserOptions, 'gpus' | 'cpus' | 'baseEnv' | 'folders'>): Lane[] {
  const count = Math.max(1, Math.min(mostLanes, gpus.length || Math.floor(cpus / threadsPerLane)));
  return Array.from({ length: count }, (_, index) => ({
    logFile: join(folders.logs, count === 1 ? 'parser.log' : `parser-${index}.log`),
    env: {
      OMP_NUM_THREADS: String(Math.min(cpus, threadsPerLane)),
      ...baseEnv,
      // Its last words must be in the log when it is killed.
      PYTHONUNBUFFERED: '1',
      CUDA_DEVICE_ORDER: 'PCI_BUS_ID',
      CUDA_VISIBLE_DEVICES: gpus[index] ?? '-1',
    },
  }));
}

interface Lanes {
  enter(signal: AbortSignal): Promise<Lane | 'aborted'>;
  leave(lane: Lane): void;
}

function openLanes(lanes: readonly Lane[]): Lanes {
  const free = [...lanes];
  const waiting: ((lane: Lane) => void)[] = [];
  const leave = (lane: Lane): void => {
    const next = waiting.shift();
    if (next === undefined) free.push(lane);
    else next(lane);
  };
  const next = (): Promise<Lane> => {
    const lane = free.shift();
    return lane === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(lane);
  };
  return {
    leave,
    async enter(signal) {
      const turn = next();
      const lane = await orAborted(turn, signal);
      if (lane === 'aborted') void turn.then(leave);
      return lane;
    },
  };
}

type Order = OutsideParserOptions & { readonly input: string; readonly output: string };

async function convertIn(lane: Lane, order: Order, signal: AbortSignal): Promise<Conversion> {
  const { program, folders, containment, log, input, output } = order;
  const { size } = await stat(input);
  const timeoutMs = (order.timeLimitMs ?? generousLimitMs)(size);
  // What a killed parser leaves of its temporary files goes too. A short name: sockets of Python lie in it.
  const temporary = await mkdtemp(join(folders.scratch, 't-'));
  try {
    const env = { ...lane.env, TMPDIR: temporary };
    const launch = { command: program.command(input, output), env, cwd: temporary };
    const command = {
      id: 'parser',
      launch,
      isolation: 'processes',
      logFile: lane.logFile,
      timeoutMs,
      graceMs,
    } as const;
    const report = (event: string, detail?: object): void => log.file(`parser: ${event}`, { ...detail });
    const end = await runCommand(command, { containment, report }, signal);
    return await judge(end, order);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

/** Some of them say 0 of a document that they could not read. */
async function judge(end: CommandEnd, { program, output }: Order): Promise<Conversion> {
  if (end.outcome === 'aborted') return stopped;
  const isDone = end.outcome === 'exited' && end.exit.code === 0;
  if (isDone && (await hasWritten(output))) return { outcome: 'done' };
  const reason = `${program.name} ${saidBy(end)}`;
  if (isDone) return { outcome: 'failed', reason: `${reason}, and wrote nothing` };
  return { outcome: end.outcome === 'timed-out' ? 'timed-out' : 'failed', reason };
}

const hasWritten = async (folder: string): Promise<boolean> =>
  (await readdir(folder, { recursive: true })).some((name) => /\.(?:json|md)$/.test(name));
