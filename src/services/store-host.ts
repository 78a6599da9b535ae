import { siblingPath } from '../sibling.ts';
import type { ChildSpec } from '../supervise/spec.ts';
import { answersPings } from './answers-pings.ts';
import { readyMessageProbe } from './ready-message.ts';

export interface StoreHostOptions {
  /** `store` when nothing is said. */
  readonly id?: string;
  /** The index. */
  readonly dir: string;
  readonly baseEnv: Readonly<Record<string, string>>;
  /** The run's scratch folder: the host's temporary files go there. */
  readonly cwd: string;
  readonly logFile: string;
  readonly supervisorId: string;
  /** From TERM to KILL. */
  readonly graceMs: number;
}

/** Commits make garbage of JavaScript too; with V8's own limit of 16 MiB it takes 100 MiB of memory and no CPU less. */
const youngHeap = '--max-semi-space-size=4';

/** The process that holds the index: native code that fails ends itself, not the supervisor. */
export const storeHostSpec = (options: StoreHostOptions): ChildSpec => ({
  id: options.id ?? 'store',
  restart: 'permanent',
  significant: true,
  // What is being written is finished and synced first. Not TERM: Slurm sends that to every process of a job, and
  // the last commit of a drain still needs the host.
  shutdown: { signal: 'SIGINT', graceMs: options.graceMs },
  deathSignal: 'SIGKILL',
  channel: 'ipc',
  isolation: 'none',
  logFile: options.logFile,
  after: [],
  launch: async () => ({
    command: [process.execPath, youngHeap, siblingPath(import.meta.url, '../store/host'), options.dir],
    // LanceDB leaves an empty `.tmpXXXX` there for every text index that it makes.
    env: {
      ...options.baseEnv,
      TMPDIR: options.cwd,
      // Lance works with many threads; an arena for each keeps a quarter of the host's memory for nothing.
      MALLOC_ARENA_MAX: '1',
      // Blocks of a commit go back to the system when they are freed: 50 MiB.
      MALLOC_MMAP_THRESHOLD_: '1000000',
      MALLOC_TRIM_THRESHOLD_: '1000000',
      RAG_SUPERVISOR_ID: options.supervisorId,
    },
    cwd: options.cwd,
  }),
  readiness: { periodMs: 50, timeoutMs: 120_000, probe: readyMessageProbe() },
  // Lance works in threads of its own: the event loop stays free through a consolidation.
  liveness: answersPings,
});
