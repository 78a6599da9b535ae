import { siblingPath } from '../sibling.ts';
import type { ChildSpec } from '../supervise/spec.ts';
import { answersPings } from './answers-pings.ts';
import { readyMessageProbe } from './ready-message.ts';

export interface LexicalRerankerOptions {
  readonly id: string;
  /** Its slice. It computes nothing there: the slice stays reserved for a reranker with a model. */
  readonly gpus: readonly string[];
  readonly baseEnv: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly logFile: string;
  readonly supervisorId: string;
  /** From TERM to KILL. */
  readonly graceMs: number;
}

/** The reranker without a model, by shared words. Speaks the frames of every reranker child. */
export const lexicalRerankerSpec = (options: LexicalRerankerOptions): ChildSpec => ({
  id: options.id,
  restart: 'permanent',
  // Without it answers are made from the order of retrieval: worse, not wrong.
  significant: false,
  shutdown: { signal: 'SIGTERM', graceMs: options.graceMs },
  deathSignal: 'SIGKILL',
  channel: 'frames',
  isolation: 'none',
  logFile: options.logFile,
  after: [],
  launch: async () => ({
    command: [process.execPath, siblingPath(import.meta.url, 'lexical-reranker')],
    env: {
      ...options.baseEnv,
      CUDA_VISIBLE_DEVICES: options.gpus.join(','),
      RAG_SUPERVISOR_ID: options.supervisorId,
    },
    cwd: options.cwd,
  }),
  readiness: { periodMs: 50, timeoutMs: 30_000, probe: readyMessageProbe() },
  liveness: answersPings,
});
