/**
 * Our texts name the program as it is called in a checkout, `node dist/supervisor.js`. That can only be pasted there, and
 * who unpacked a release may have no `node` at all: he gets the words that work where he is.
 */
import { existsSync, realpathSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { shellWord } from '../observe/terminal.ts';

export interface Caller {
  /** PATH. */
  readonly path: string | undefined;
  readonly cwd?: string;
  /** The checkout or the unpacked release. */
  readonly home?: string;
}

const ownHome = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');

export function asCalled(text: string, { path = '', cwd = process.cwd(), home = ownHome }: Caller): string {
  const isThere = cwd === home;
  const folders = path.split(delimiter).filter((folder) => folder !== '');
  if (isThere && folders.some((folder) => existsSync(join(folder, 'node')))) return text;
  const launcher = join(home, 'bin/rag-allinone');
  const isOnPath = folders.some((folder) => isSame(join(folder, 'rag-allinone'), launcher));
  const program = isOnPath ? 'rag-allinone' : isThere ? 'bin/rag-allinone' : word(launcher);
  const named = text.replaceAll('node dist/supervisor.js', () => program);
  if (isThere) return named;
  return named
    .replaceAll(/(?<!-)\bsbatch (?=[^\n]* ?\bsbatch\/\w+\.sbatch)/g, () => `RAG_HOME=${word(home)} sbatch `)
    .replaceAll(/(?<= )sbatch\/(?=\w+\.sbatch)/g, () => `${word(home)}/sbatch/`);
}

/** Quoted only where that is needed. */
const word = (text: string): string => (/^[\w./+@%:,-]+$/.test(text) ? text : shellWord(text));

function isSame(one: string, other: string): boolean {
  try {
    return realpathSync(one) === realpathSync(other);
  } catch {
    return false;
  }
}
