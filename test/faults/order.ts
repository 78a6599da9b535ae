/** What the tiny supervisor of these tests is told to do: supervises-on-order.ts reads it from its argument. */
import type { ContainmentMode } from '../../src/supervise/containment.ts';
import type { Isolation, Restart, RestartBudget } from '../../src/supervise/spec.ts';

export interface Order {
  readonly mode: ContainmentMode;
  readonly folder: string;
  /** PATH of all of them. */
  readonly path: string;
  /** Of the job: what an earlier run of it has left is ended. */
  readonly family: string;
  /** For every child, beside PATH. */
  readonly env: Readonly<Record<string, string>>;
  readonly budget: RestartBudget;
  readonly children: readonly ChildOrder[];
}

export interface ChildOrder {
  readonly id: string;
  readonly command: readonly [string, ...string[]];
  /** Else `processes`. */
  readonly isolation?: Isolation;
  readonly restart?: Restart;
  readonly significant?: boolean;
  readonly after?: readonly string[];
  readonly logFile?: string;
  readonly startTimeoutMs?: number;
  /** Else it is ready when it says `up`. */
  readonly readyAtOnce?: boolean;
  /** Longer than this without a new line in its log is a missed sign of life; three are a hang. */
  readonly silentMs?: number;
  /** The exit code that is an error of its settings. */
  readonly fatalCode?: number;
}
