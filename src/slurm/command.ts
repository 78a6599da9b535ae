import { execa } from 'execa';

export interface CommandOptions {
  /** The whole environment of the command; its PATH finds the tool. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** What one of Slurm's tools said. Anything but `answered` says something about the tool, never about the job. */
export type Answer =
  | { readonly outcome: 'answered'; readonly stdout: string; readonly stderr: string }
  | { readonly outcome: 'failed' | 'timed-out' | 'missing' | 'aborted'; readonly reason: string };

const maxBytes = 1_000_000;

/**
 * Runs one of Slurm's tools. Never rejects: tools are missing in containers, hang while the controller
 * is busy and fail while it restarts, and nobody may die of that.
 */
export async function runSlurm(
  tool: string,
  args: readonly string[],
  options: CommandOptions,
): Promise<Answer> {
  const result = await execa(tool, args, {
    // Sites wrap squeue in scripts of their own; a wrapper's child would hold the pipe open past the timeout.
    killDescendants: true,
    env: definedOnly(options.env),
    extendEnv: false,
    stdin: 'ignore',
    reject: false,
    maxBuffer: maxBytes,
    timeout: options.timeoutMs,
    cancelSignal: options.signal,
    forceKillAfterDelay: 500,
  });
  if (!result.failed) return { outcome: 'answered', stdout: result.stdout, stderr: result.stderr };
  if (result.timedOut)
    return { outcome: 'timed-out', reason: `${tool} did not answer in ${options.timeoutMs} ms` };
  if (result.isCanceled) return { outcome: 'aborted', reason: `${tool} was no longer needed` };
  if (result.code === 'ENOENT') return { outcome: 'missing', reason: `${tool} is not on PATH` };
  return { outcome: 'failed', reason: `${tool}: ${result.stderr.trim() || result.shortMessage}` };
}

const definedOnly = (env: CommandOptions['env']): Record<string, string> =>
  Object.fromEntries(
    Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
