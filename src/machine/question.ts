/** Programs that are asked something about this machine: nvidia-smi, unshare. Each may hang, and nobody may hang with it. */
import { execa } from 'execa';

export type ProgramAnswer =
  | { readonly outcome: 'answered'; readonly stdout: string }
  /** `why`: the first line of its complaint. */
  | { readonly outcome: 'failed'; readonly why: string };

const maxBytes = 1_000_000;
/** From KILL to the end. */
const killMs = 500;

/**
 * Never rejects, and resolves half a second after `timeoutMs` at the latest. Sites wrap such programs in scripts, whose
 * children would hold the pipe open, so that the whole group is killed; and nvidia-smi before a card that fell off its
 * bus outlives even that.
 */
export async function askProgram(
  [file = '', ...args]: readonly string[],
  timeoutMs: number,
): Promise<ProgramAnswer> {
  const asked = execa(file, args, {
    reject: false,
    stdin: 'ignore',
    maxBuffer: maxBytes,
    killDescendants: true,
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
  });
  const late = Promise.withResolvers<'late'>();
  const timer = setTimeout(() => late.resolve('late'), timeoutMs + killMs);
  const result = await Promise.race([asked, late.promise]);
  clearTimeout(timer);
  if (result === 'late') {
    // Nothing of it keeps us alive.
    asked.nodeChildProcess.unref();
    asked.stdout.destroy();
    asked.stderr.destroy();
  }
  if (result === 'late' || result.timedOut)
    return { outcome: 'failed', why: `no answer within ${timeoutMs / 1000} s` };
  if (!result.failed) return { outcome: 'answered', stdout: result.stdout };
  return {
    outcome: 'failed',
    why: result.stderr.trim().split('\n')[0] || `exit code ${result.exitCode ?? result.code}`,
  };
}
