/** A Python child that reranks or encodes on one GPU: scripts/sidecar.py, spoken to in frames. */
import { RagError } from '../errors.ts';
import { untilGivenUp } from '../supervise/channel.ts';
import type { ChildSpec } from '../supervise/spec.ts';
import { loadProgress } from './load-progress.ts';
import {
  sidecarCommand,
  sidecarEnv,
  type SidecarProgram,
  type SidecarSurroundings,
} from './sidecar-command.ts';
import { makeSidecarProbe, type SidecarReady } from './sidecar-ready.ts';
import { type SidecarStats, tellsStats } from './sidecar-stats.ts';

export interface SidecarOptions extends SidecarProgram, SidecarSurroundings {
  readonly id: string;
  readonly supervisorId: string;
  readonly cwd: string;
  readonly logFile: string;
  /** From TERM to KILL. */
  readonly graceMs: number;
  /** Longer while it reads or computes. */
  readonly startTimeoutMs: number;
  /** Each time a start became ready. */
  readonly onReady: (ready: SidecarReady) => void;
  /** What it says of its work, every ten seconds. */
  readonly onStats: (stats: SidecarStats) => void;
}

/**
 * One start after another of the child. Ready means that it said so and scored or encoded a text; a fault of
 * the settings (no torch, no such folder, no GPU) ends it for good, everything else is started again on the budget.
 */
export function sidecarSpec(options: SidecarOptions): ChildSpec {
  const probe = makeSidecarProbe(options);
  return {
    id: options.id,
    restart: 'permanent',
    // Without a reranker answers are made from the order of retrieval: worse, not wrong. Encoders cannot be missed.
    significant: options.encode.length > 0,
    shutdown: { signal: 'SIGTERM', graceMs: options.graceMs },
    deathSignal: 'SIGKILL',
    channel: 'frames',
    // Libraries may start processes of their own; whatever they are, they hold GPU memory.
    isolation: 'processes',
    logFile: options.logFile,
    after: [],
    launch: async () => ({
      command: sidecarCommand(options),
      env: { ...sidecarEnv(options), RAG_SUPERVISOR_ID: options.supervisorId },
      cwd: options.cwd,
    }),
    readiness: {
      periodMs: 50,
      timeoutMs: options.startTimeoutMs,
      probe: (running) => probe.ask(running),
      progress: ({ pid }) => loadProgress(pid, options.logFile),
    },
    liveness: tellsStats(options.onStats),
    watches: [untilGivenUp],
    fatalExit: ({ code }) => {
      const told = probe.fatal();
      if (told !== undefined) return told;
      return code === configurationExit ? unexplained(options) : undefined;
    },
  };
}

/** Its word was lost, or a library ended it; the log may tell. */
const unexplained = ({ python, logFile }: SidecarOptions): RagError =>
  new RagError('preflight', `Cannot start the Python child: ${python} ended with code 78 and said nothing`, {
    hint: `tail -n 100 ${logFile}`,
  });

const configurationExit = 78;
