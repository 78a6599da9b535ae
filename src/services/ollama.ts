import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { messageOf, RagError } from '../errors.ts';
import { pickPort } from '../machine/ports.ts';
import type { OllamaHttp } from '../models/ollama-http.ts';
import type { ChildSpec, ExitStatus, Launch, ProbeResult, Running } from '../supervise/spec.ts';
import { livenessBounds } from './answers-pings.ts';
import { loadProgress } from './load-progress.ts';
import { logNotices } from './log-notices.ts';
import { makeModelView } from './model-view.ts';
import { serverEnv } from './ollama-env.ts';
import { isOutOfMemory, isPortTaken, isUnknownFlag, lastCrash } from './ollama-log.ts';
import { answersAtAll, isLoadFailure, probeResult, proveServer } from './ollama-ready.ts';
import type { Expected, ServedModel } from './ollama-ready.ts';
import { addressOf, nextSocket, privateCommand, privatePort } from './private-network.ts';
import { watchBounds, watchOllama, type WatchBounds } from './ollama-watch.ts';

/** A model server of Ollama's HTTP API: one process, one model. */
export interface ServerOptions extends Expected {
  readonly id: string;
  readonly command: readonly [string, ...string[]];
  /** The shared model store; null for a server that has none. */
  readonly modelsDir: string | null;
  readonly baseEnv: Readonly<Record<string, string>>;
  /** On the node; a folder of the instance's own is made in it. */
  readonly stateDir: string;
  readonly logFile: string;
  /** From TERM to KILL. */
  readonly graceMs: number;
  /** `private`: no other process of the node can reach its port; it is reached through a Unix socket. */
  readonly network: 'private' | 'shared';
  /** Taken when it is free; 0: any. In a private network it is a fixed one. */
  readonly preferredPort: number;
  /** Servers of different jobs begin their search for a port at different places. */
  readonly portSeed: string;
  /** Longer while the load makes progress. */
  readonly startTimeoutMs: number;
  readonly supervisorId: string;
  readonly http: OllamaHttp;
  /** Called each time a start became ready; the address is another one after a restart. */
  readonly onReady: (served: ServedModel) => void;
}

export type OllamaOptions = Omit<ServerOptions, 'command'> & {
  readonly bin: string;
  /** Of the watch; for tests that cannot wait for minutes. */
  readonly bounds?: WatchBounds;
  readonly modelsDir: string;
};

/** `ollama serve`. Its liveness says nothing of its runners: those have a watch. */
export function ollamaSpec({ bin, bounds, ...options }: OllamaOptions): ChildSpec {
  const spec = serverSpec({ ...options, command: [bin, 'serve'] });
  const watch = watchOllama({ ...options, urlOf, bounds: bounds ?? watchBounds(options.startTimeoutMs) });
  return { ...spec, watches: [...(spec.watches ?? []), watch] };
}

const urlOf = ({ launch }: Running): string => addressOf(launch);

/** Failed loads of one start after which waiting is no use: the first may be another program leaving the GPU. */
const maxFailedLoads = 3;

/** Ollama, or the embedded engine that stands in for it. */
export function serverSpec(options: ServerOptions): ChildSpec {
  let launches = 0;
  const home = path.join(options.stateDir, options.id);
  const models = path.join(home, 'models');
  const layView =
    options.modelsDir === null ? undefined : makeModelView(options.modelsDir, options.model, models);
  return {
    id: options.id,
    restart: 'permanent',
    significant: true,
    shutdown: { signal: 'SIGTERM', graceMs: options.graceMs },
    // It must live long enough to end its runner: KILL leaves that one alive, with the GPU memory, for ever.
    deathSignal: 'SIGTERM',
    channel: 'none',
    isolation: options.network === 'private' ? 'network' : 'processes',
    logFile: options.logFile,
    after: [],
    launch: async () => {
      launches += 1;
      await mkdir(home, { recursive: true, mode: 0o700 });
      await layView?.();
      return launchServer(options, { home, models }, launches);
    },
    readiness: {
      // A refused connection costs next to nothing, and a start waits half of this for nothing.
      periodMs: 50,
      timeoutMs: options.startTimeoutMs,
      probe: makeProbe(options),
      progress: ({ pid }) => loadProgress(pid, options.logFile),
    },
    liveness: {
      ...livenessBounds,
      probe: (running, signal) => answersAtAll(urlOf(running), options.http, signal),
    },
    watches: [logNotices(options.logFile)],
    fatalExit: (exit, logTail) => fatalExit(options, exit, logTail),
  };
}

/**
 * A port (or a socket) for each start: between choosing and binding another program may take it, then the next
 * start has another.
 */
async function launchServer(
  options: ServerOptions,
  { home, models }: Readonly<Record<'home' | 'models', string>>,
  launches: number,
): Promise<Launch> {
  const isPrivate = options.network === 'private';
  const seed = `${options.portSeed}/${options.id}/${launches}`;
  const env = serverEnv(options.baseEnv, {
    port: isPrivate ? privatePort : await pickPort(seed, options.preferredPort),
    home,
    modelsDir: models,
    gpus: options.gpus,
    contextTokens: options.options.num_ctx,
    supervisorId: options.supervisorId,
  });
  const command = isPrivate
    ? privateCommand(await nextSocket(home, launches), options.command)
    : options.command;
  return { command, env, cwd: home };
}

function makeProbe(options: ServerOptions): ChildSpec['readiness']['probe'] {
  const failed = { pid: 0, loads: 0 };
  return async (running: Running, signal: AbortSignal): Promise<ProbeResult> => {
    const url = urlOf(running);
    const log = (): string[] => running.logTail(400);
    try {
      options.onReady(await proveServer(options, { url, pid: running.pid, log, http: options.http, signal }));
      return { outcome: 'ready' };
    } catch (error) {
      if (failed.pid !== running.pid) Object.assign(failed, { pid: running.pid, loads: 0 });
      const outOfMemory = isOutOfMemory(messageOf(error));
      if ((outOfMemory || isLoadFailure(error)) && !signal.aborted) failed.loads += 1;
      if (failed.loads < maxFailedLoads) {
        return outOfMemory ? { outcome: 'not-yet', reason: messageOf(error) } : probeResult(error);
      }
      if (outOfMemory) return probeResult(error);
      return { outcome: 'fatal', error: neverLoads(options.model, log(), error) };
    }
  };
}

function neverLoads(model: string, log: readonly string[], cause: unknown): RagError {
  const crash = lastCrash(log);
  const why = (crash ?? messageOf(cause)).slice(0, 500);
  const is = `it failed ${maxFailedLoads} times (${why})`;
  return new RagError('service-failed', `Cannot load ${model}: ${is}, a loaded model is wanted`, { cause });
}

/** Errors that every start will meet. A taken port is not one: the next start has another. */
function fatalExit(
  { command, id }: ServerOptions,
  exit: ExitStatus,
  log: readonly string[],
): RagError | undefined {
  const [program] = command;
  const latest = log.slice(-20);
  if (isPortTaken(latest)) return undefined;
  if (exit.code === 126 || exit.code === 127) {
    const hint = `ls -l ${program}   # or set OLLAMA_BIN`;
    return new RagError('preflight', `Cannot start ${id}: ${program} cannot be run, a program is wanted`, {
      hint,
    });
  }
  if (isUnknownFlag(latest)) {
    const hint = `${command.join(' ')} --help`;
    return new RagError(
      'preflight',
      `Cannot start ${id}: it does not know a flag, Ollama's serve is wanted`,
      { hint },
    );
  }
  return undefined;
}
