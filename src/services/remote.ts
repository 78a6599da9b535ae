import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { codeOf, messageOf, RagError } from '../errors.ts';
import { pause } from '../supervise/pause.ts';
import type { ChildSpec } from '../supervise/spec.ts';
import type { FoundService } from './find-service.ts';
import type { ServedModel } from './ollama-ready.ts';
import { type ServerOptions, serverSpec } from './ollama.ts';
import { nextSocket, relayCommand, relayEnv } from './private-network.ts';

export type RemoteOptions = Omit<ServerOptions, 'command' | 'modelsDir' | 'gpus' | 'allowCpu' | 'network'> & {
  /** Asked before each start: the job that served may have ended, and another one have taken its place. */
  readonly find: (signal: AbortSignal) => Promise<FoundService>;
  /** Told now and then while it waits, for people. */
  readonly onWait: (line: string) => void;
};

/** For the search itself, beside the wait for a service: one that is asked for its proof may be silent for 10 s. */
const searchMs = 30_000;

/** A model server that runs elsewhere, proven and watched like our own; what is started is the way to it. */
export function remoteSpec({ find, onWait, ...options }: RemoteOptions): ChildSpec {
  const home = path.join(options.stateDir, options.id);
  const { startTimeoutMs } = options;
  let digest: string | undefined;
  const spec = serverSpec({
    ...options,
    startTimeoutMs: startTimeoutMs + searchMs,
    command: [process.execPath],
    modelsDir: null,
    gpus: null,
    allowCpu: true,
    isElsewhere: true,
    network: 'shared',
    onReady: (served) => {
      digest ??= served.digest;
      if (served.digest !== digest) throw anotherModel(served);
      options.onReady(served);
    },
  });
  let launches = 0;
  let tell = nowAndThen(onWait);
  let launchedAt = performance.now();
  return {
    ...spec,
    isolation: 'none',
    deathSignal: 'SIGKILL',
    readiness: {
      ...spec.readiness,
      probe: async (running, signal) => {
        const result = await spec.readiness.probe(running, signal);
        // The way to it takes a moment to be there; what lasts longer is worth a line.
        const isLong = performance.now() - launchedAt > silentMs;
        if (result.outcome === 'not-yet' && (isLong || result.askAgainMs !== undefined))
          tell(`waits: ${result.reason}`);
        return result;
      },
    },
    launch: async (signal) => {
      tell = nowAndThen(onWait);
      const service = await untilFound(find, { boundMs: startTimeoutMs, tell }, signal);
      await mkdir(home, { recursive: true, mode: 0o700 });
      const socket = await nextSocket(home, (launches += 1));
      launchedAt = performance.now();
      const env = {
        ...options.baseEnv,
        ...relayEnv(service),
        RAG_SUPERVISOR_ID: options.supervisorId,
      };
      return { command: relayCommand(socket), env, cwd: home };
    },
  };
}

const lookEveryMs = 2000;
/** In which nobody is told that it waits. */
const silentMs = 10_000;

/** @throws service-failed when there was none for so long */
async function untilFound(
  find: RemoteOptions['find'],
  { boundMs, tell }: { readonly boundMs: number; readonly tell: (line: string) => void },
  signal: AbortSignal,
): Promise<FoundService> {
  for (const deadline = performance.now() + boundMs; ;) {
    try {
      return await find(signal);
    } catch (error) {
      if (signal.aborted || codeOf(error) !== 'preflight') throw error;
      if (performance.now() > deadline) throw gaveUp(error, boundMs);
      const seconds = Math.round((deadline - performance.now()) / 1000);
      tell(`waits for a live service, ${seconds} s more at most: ${messageOf(error)}`);
    }
    await pause(lookEveryMs, signal);
  }
}

const [firstGapMs, longestGapMs] = [60_000, 600_000];

/** The first line, and then fewer and fewer. */
function nowAndThen(tell: (line: string) => void): (line: string) => void {
  let [gapMs, nextAt] = [firstGapMs, -Infinity];
  return (line) => {
    const now = performance.now();
    if (now < nextAt) return;
    tell(line);
    nextAt = now + gapMs;
    gapMs = Math.min(longestGapMs, 2 * gapMs);
  };
}

/** Vectors of two models in one index would be told apart by nobody. */
const anotherModel = ({ model }: ServedModel): RagError =>
  new RagError(
    'preflight',
    `Cannot go on: ${model} of the service that is published now has other weights than before, the same are wanted`,
    { hint: 'the same command again: it compares the index with the model' },
  );

const gaveUp = (cause: unknown, waitedMs: number): RagError =>
  new RagError('service-failed', `${messageOf(cause)}; waited ${Math.round(waitedMs / 1000)} s for one`, {
    hint: 'sbatch sbatch/ollama_service.sbatch   # then the same command again: it goes on with what is left',
    cause,
  });
