/**
 * A process that outlives us for a moment and ends what we leave. Death signals reach direct children only, and
 * a stopped child keeps TERM pending for ever; the guard finds every process by a mark that all of them
 * inherit in their environment. It learns of our death from a pipe, which the kernel closes however we die.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { ownJob } from '../machine/processes.ts';
import { nextRestart, type RestartHistory } from './restart.ts';
import { pause } from './pause.ts';

/** A variable in the environment of every process that must not outlive us, and of no other. */
export interface Mark {
  readonly name: string;
  readonly value: string;
}

/** Disposing it ends whatever still carries the mark, then the guard itself: a stop is over when nobody is left. */
export interface Guard extends AsyncDisposable {
  /** Undefined while no guard stands: for an instant after it was killed, or for good when it cannot be kept. */
  pid(): number | undefined;
}

export interface GuardOptions {
  readonly mark: Mark;
  /** PATH, where `grep` and `sleep` are. */
  readonly path: string;
  readonly onEvent: (event: string, detail: Readonly<Record<string, unknown>>) => void;
  /** Number in [0, 1): the jitter of restarts. */
  readonly random?: () => number;
}

/** Short: while no guard stands, our death would leave what the death signals do not reach. */
const budget = { intensity: 10, periodMs: 60_000, backoff: { baseMs: 20, capMs: 2_000 } };
/** A look takes some 50 ms; TERM, the grace and KILL below half a second. */
const dismissMs = 3_000;
const cannotWork = 'exit code 3';

/**
 * $1 is the mark, $2 the job: what carries the mark in another one was submitted by a process of ours, and is not. Signals that a batch system sends to every process of a job must not end it before its time.
 * A `grep` that cannot tell entries by NUL is told at once (exit 3), not on the day of need.
 * TERM and CONT: a stopped process keeps TERM pending until it is continued. At most 300 ms later KILL, until two
 * looks in a row find nobody, because a process between fork and exec does not carry the mark yet. About 20 s at
 * most: a process in uninterruptible sleep goes when it wakes.
 */
const program = String.raw`
trap '' HUP INT QUIT TERM USR1 USR2 PIPE ALRM
cd /proc && printf 'a\0' | grep -qxzF a || exit 3
while read -r word; do :; done
found() {
  marked=$(grep -lsxzF -e "$1" [0-9]*/environ)
  [ -n "$marked" ] || return
  inside=$(grep -lsxz -e 'SLURM_JOB_ID=.*' /dev/null $marked)
  others=" $(echo $(grep -LsxzF -e "$2" /dev/null $inside)) "
  pids=$(echo "$marked" | while IFS=/ read -r pid rest; do
    case $others in *" $pid/environ "*) ;; *) echo "$pid" ;; esac
  done)
  [ -n "$pids" ]
}
if found "$@"; then kill -TERM $pids; kill -CONT $pids; fi
round=0
while [ $round -lt 6 ] && found "$@"; do round=$((round + 1)); sleep 0.05; done
round=0 empty=0
while [ $empty -lt 2 ] && [ $round -lt 500 ]; do
  if found "$@"; then empty=0; kill -KILL $pids; else empty=$((empty + 1)); fi
  round=$((round + 1)); sleep 0.02
done
`;

/** Starts the guard, and starts it again when it ends while we live, within a budget. Linux only: it reads /proc. */
export function startGuard(options: GuardOptions): Guard {
  const { onEvent, random = Math.random } = options;
  const closing = new AbortController();
  let standing: ChildProcess | undefined;
  const keep = async (): Promise<void> => {
    let history: RestartHistory = [];
    let stoodMs = 0;
    while (!closing.signal.aborted) {
      const since = performance.now();
      standing = spawnGuard(options);
      const end = await endOf(standing);
      standing = undefined;
      if (closing.signal.aborted) return;
      stoodMs += performance.now() - since;
      const next = nextRestart(history, budget, stoodMs, random());
      if (next.outcome === 'give-up' || end === cannotWork) return onEvent('given up', { end });
      history = next.history;
      onEvent('restarting', { end, delayMs: next.delayMs });
      await pause(next.delayMs, closing.signal);
    }
  };
  const kept = process.platform === 'linux' ? keep() : Promise.resolve();
  return {
    pid: () => standing?.pid,
    [Symbol.asyncDispose]: async () => {
      closing.abort();
      if (standing !== undefined) await dismiss(standing);
      await kept;
    },
  };
}

/**
 * In a session of its own: a signal to our group does not reach it. Nothing of ours is held open: no output, no
 * folder. Its environment is made anew: it must not carry the mark, and other marks are none of its business.
 */
function spawnGuard({ mark, path }: GuardOptions): ChildProcess {
  const child = spawn('/bin/sh', ['-c', program, 'guard', `${mark.name}=${mark.value}`, ownJob()], {
    cwd: '/',
    env: { PATH: [path, '/usr/bin', '/bin'].filter(Boolean).join(':'), LC_ALL: 'C' },
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  // EPIPE when it was killed: its exit tells.
  child.stdin.on('error', () => undefined);
  return child;
}

const endOf = (child: ChildProcess): Promise<string> =>
  new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`));
  });

async function dismiss(child: ChildProcess): Promise<void> {
  const ended = endOf(child);
  child.stdin?.end();
  const timer = setTimeout(() => child.kill('SIGKILL'), dismissMs);
  await ended;
  clearTimeout(timer);
}
