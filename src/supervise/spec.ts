/**
 * The words of this room are Erlang/OTP's: a child specification says how a child is started, when it is
 * started again, and how it is stopped. Plain data and three functions; nothing here knows what the child is.
 */

/** `permanent`: always started again. `transient`: unless it ended with 0. `temporary`: never. */
export type Restart = 'permanent' | 'transient' | 'temporary';

/**
 * How the parent talks to the child, beside signals.
 * `ipc`: Node messages with structured clone. `frames`: the child's stdin and stdout are pipes for lines of
 * JSON; stderr is the log.
 */
export type ChannelKind = 'none' | 'ipc' | 'frames';

/** One start of a child. Made anew for every start, so that a taken port is not taken twice. */
export interface Launch {
  readonly command: readonly [string, ...string[]];
  /** The whole environment: nothing is inherited that is not written here. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
}

export interface ExitStatus {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A started child, as its probes see it. */
export interface Running {
  readonly pid: number;
  readonly launch: Launch;
  readonly channel: Channel | undefined;
  /** Last lines of the child's log, newest last. */
  logTail(lines: number): string[];
}

/** Messages to and from a child with an `ipc` or `frames` channel. */
export interface Channel {
  send(message: unknown): void;
  /** Every listener sees every message. Returns the function that removes the listener. */
  onMessage(listener: (message: unknown) => void): () => void;
  onClose(listener: () => void): () => void;
  /** The other end is of no use any more: it says nothing, or nonsense. For a watch (`untilGivenUp`) to act on. */
  giveUp(reason: string): void;
  onGivenUp(listener: (reason: string) => void): () => void;
}

/**
 * What a readiness probe found. `not-yet` is asked again after the period; `fatal` is never restarted. Who was told when to
 * ask again does so then, and what the wait may take is counted from there: it waits for another, and does not stall.
 */
export type ProbeResult =
  | { readonly outcome: 'ready' }
  | { readonly outcome: 'not-yet'; readonly reason: string; readonly askAgainMs?: number | undefined }
  | { readonly outcome: 'fatal'; readonly error: Error };

/** What a liveness probe found. */
export type LivenessResult =
  | { readonly outcome: 'alive' }
  | { readonly outcome: 'missed'; readonly reason: string };

/** Asks a ready child whether it still answers. The words are Kubernetes'. */
export interface Liveness {
  /** From the start of one probe to the start of the next, which waits for the end of the first. */
  readonly periodMs: number;
  /** For one answer; silence is a miss. */
  readonly timeoutMs: number;
  /** Misses in a row after which the child is stopped and started again. */
  readonly failureThreshold: number;
  /** Must be answered at once however busy the child is: asks whether it lives, not whether it is fast. */
  probe(running: Running, signal: AbortSignal): Promise<LivenessResult>;
}

/**
 * Looks after a ready child in a way of its own, milder remedies than a restart included. Resolves with the reason
 * to start the child again, and stays pending while all is well; may end anyhow once the signal is aborted.
 */
export type Watch = (running: Running, report: Report, signal: AbortSignal) => Promise<string>;

/** Something that happened to a child, for the log. */
export type Report = (event: string, detail?: Readonly<Record<string, unknown>>) => void;

/**
 * The namespaces that a child gets for itself where the machine allows them. `processes`: whatever it starts dies
 * with it, however that hides. `network`: that, and a loopback that no other process of the node can reach.
 */
export type Isolation = 'none' | 'processes' | 'network';

export interface ChildSpec {
  readonly id: string;
  readonly restart: Restart;
  /** When its restart budget is spent (or, for `temporary`, when it ends) the whole tree ends. */
  readonly significant: boolean;
  /** TERM first, KILL after the grace; the whole process group both times. */
  readonly shutdown: { readonly signal: NodeJS.Signals; readonly graceMs: number };
  /** What the kernel sends the child when we die: TERM where the child must clean up children of its own. */
  readonly deathSignal: 'SIGTERM' | 'SIGKILL';
  readonly channel: ChannelKind;
  readonly isolation: Isolation;
  readonly logFile: string;
  /** Ids of children that must be ready before this one is started. */
  readonly after: readonly string[];
  /** Stays `pending` until the tree is told to start it. */
  readonly later?: boolean;
  /**
   * Those of `after` without which it cannot go on: when one of them is started again, so is this one, after it
   * and not on its own budget (a `temporary` one ends with it). OTP's rest_for_one, along these edges only.
   */
  readonly follows?: readonly string[];
  launch(signal: AbortSignal): Promise<Launch>;
  readonly readiness: {
    readonly periodMs: number;
    /** From the spawn. Longer while `progress` changes. */
    readonly timeoutMs: number;
    probe(running: Running, signal: AbortSignal): Promise<ProbeResult>;
    /** A value that changes while a slow start still moves (bytes of log, bytes read). */
    progress?(running: Running): number | string;
  };
  /** Without it, and without watches, only an exit ends a ready child. */
  readonly liveness?: Liveness;
  readonly watches?: readonly Watch[];
  /** Turns an exit into an error that must not be restarted (a configuration error), or undefined. */
  fatalExit?(exit: ExitStatus, logTail: readonly string[]): Error | undefined;
}

/** At most `intensity` restarts within `periodMs`; then the child has failed. */
export interface RestartBudget {
  readonly intensity: number;
  readonly periodMs: number;
  readonly backoff: { readonly baseMs: number; readonly capMs: number };
}

/** One child's life. `failed` and `exited` are final. */
export type ChildState =
  | { readonly state: 'pending' }
  | { readonly state: 'starting'; readonly pid: number; readonly since: number }
  | { readonly state: 'ready'; readonly pid: number; readonly since: number }
  | { readonly state: 'restarting'; readonly at: number; readonly reason: string }
  | { readonly state: 'stopping'; readonly pid: number }
  | { readonly state: 'exited'; readonly exit: ExitStatus }
  | { readonly state: 'failed'; readonly error: Error };

export interface ChildStatus {
  readonly id: string;
  readonly current: ChildState;
  readonly restarts: number;
  /** Why it was last restarted. */
  readonly reason: string | null;
}

/** How a tree ended by itself. */
export type TreeEnd =
  | { readonly outcome: 'failed'; readonly id: string; readonly error: Error }
  | { readonly outcome: 'exited'; readonly id: string; readonly exit: ExitStatus };

/** A running tree. Disposing it stops all children in reverse order and returns when their groups are empty. */
export interface Tree extends AsyncDisposable {
  statuses(): ChildStatus[];
  /** The running child, while it is ready. */
  running(id: string): Running | undefined;
  /** Resolves when every one of these children is ready; rejects with the error of one that failed, or when aborted. */
  untilReady(ids: readonly string[], signal: AbortSignal): Promise<void>;
  /** Starts children that are `later`, in their order. One that runs goes on as it is. */
  start(ids: readonly string[]): void;
  /**
   * Stops these children in reverse order, for good and without a failure; the others go on. Resolves when their groups
   * are empty. @throws the error of one that has failed, or that SIGKILL does not end
   */
  end(ids: readonly string[]): Promise<void>;
  /**
   * From now on a child that ends is not started again: the end is near, and others may have asked for it too
   * (Slurm's linuxproc tracking sends TERM to every process of a job).
   */
  letEnd(): void;
  /** Called on every change of state. Returns the function that removes the listener. */
  onChange(listener: (status: ChildStatus) => void): () => void;
  /** Resolves when a significant child is spent or has ended. Never rejects. */
  readonly ended: Promise<TreeEnd>;
}
