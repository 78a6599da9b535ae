/** Programs that are asked something about this machine: nvidia-smi, unshare. Each may hang, and nobody may hang with it. */
import { execa } from 'execa';

export type ProgramAnswer =
  | { readonly outcome: 'answered'; readonly stdout: string }
  /** `why`: the first line of its complaint. */
  | { readonly outcome: 'failed'; readonly why: string };

export interface QuestionOptions {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Beside our own environment. */
  readonly env?: Readonly<Record<string, string>>;
}

const maxBytes = 1_000_000;
/** From KILL to the end. */
const killMs = 500;

/**
 * Never rejects, and resolves half a second after `timeoutMs`, or the abort, at the latest. Sites wrap such programs in
 * scripts, whose children would hold the pipe open, so that the whole group is killed; and nvidia-smi before a card
 * that fell off its bus outlives even that.
 */
export async function askProgram(
  [file = '', ...args]: readonly string[],
  { timeoutMs, signal, env = {} }: QuestionOptions,
): Promise<ProgramAnswer> {
  if (signal.aborted) return cancelled;
  const asked = execa(file, args, {
    env,
    reject: false,
    stdin: 'ignore',
    maxBuffer: maxBytes,
    killDescendants: true,
    timeout: timeoutMs,
    cancelSignal: signal,
    killSignal: 'SIGKILL',
  });
  using patience = startPatience(timeoutMs, signal);
  const result = await Promise.race([asked, patience.over]);
  if (result === 'over') {
    // Nothing of it keeps us alive.
    asked.nodeChildProcess.unref();
    asked.stdout.destroy();
    asked.stderr.destroy();
  }
  if (signal.aborted) return cancelled;
  if (result === 'over' || result.timedOut) return failed(`no answer within ${timeoutMs / 1000} s`);
  if (!result.failed) return { outcome: 'answered', stdout: result.stdout };
  return failed(result.stderr.trim().split('\n')[0] || `exit code ${result.exitCode ?? result.code}`);
}

const failed = (why: string): ProgramAnswer => ({ outcome: 'failed', why });
const cancelled = failed('it was cancelled');

function startPatience(
  timeoutMs: number,
  signal: AbortSignal,
): Disposable & { readonly over: Promise<'over'> } {
  const { promise, resolve } = Promise.withResolvers<'over'>();
  const end = (): void => resolve('over');
  let timer = setTimeout(end, timeoutMs + killMs);
  const shorten = (): void => {
    clearTimeout(timer);
    timer = setTimeout(end, killMs);
  };
  signal.addEventListener('abort', shorten, { once: true });
  return {
    over: promise,
    [Symbol.dispose]: () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', shorten);
    },
  };
}
