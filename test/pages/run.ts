/** Runs the blocks of a page that are marked `bash`, as a reader does: one after the other, in one shell. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { bashOf } from './blocks.ts';

export interface PageOptions {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** After the block of that position: what a reader waits for, as shell text. */
  readonly waits?: Readonly<Record<number, string>>;
  /** After the last block. */
  readonly last?: string;
  /** Then all of it is killed, and what it printed says where it hung. */
  readonly boundMs?: number;
}

const mark = '=====';

/**
 * @returns what each block printed, and what `last` printed
 * @throws with all that was printed when a command fails
 */
export async function runPage(
  page: string,
  { cwd, env, waits = {}, last = '', boundMs = 290_000 }: PageOptions,
): Promise<string[]> {
  const blocks = bashOf(page).map((block, index) => `${block}\n${waits[index] ?? ''}`);
  const script = ['set -eu', ...blocks, last].join(`\nprintf '\\n${mark}\\n'\n`);
  // A group of its own: a command that hangs holds the pipes after its shell is gone.
  const child = spawn('bash', ['-c', script], {
    cwd,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const { pid } = child;
  if (pid === undefined) throw new Error('there is no bash');
  const bound = setTimeout(() => process.kill(-pid, 'SIGKILL'), boundMs);
  const ended = once(child, 'exit') as Promise<[number | null]>;
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const [code] = await ended;
  clearTimeout(bound);
  if (code !== 0)
    throw new Error(`${page} ended with ${code ?? `a kill after ${boundMs} ms`}:\n${stdout}\n${stderr}`);
  return stdout.split(`\n${mark}\n`).slice(1);
}
