import { accessSync, constants as files } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, join } from 'node:path';
import { execa } from 'execa';

type Signal = 'SIGTERM' | 'SIGKILL';
type Prefix = (signal: Signal) => readonly string[];

/**
 * If we died before the signal was asked for, it will never come: then do not start. `exec` keeps the pid, so
 * that the child's pid is the program's.
 */
const unlessOrphaned = '[ "$PPID" = "$0" ] || exit 99; exec "$@"';

/** Number of the prctl system call; perl has no other way to it. */
const prctl: Readonly<Record<string, number>> = { x64: 157, arm64: 167 };

const found = new Map<string, Promise<Prefix | undefined>>();

/**
 * What to put before a command so that the kernel sends it `signal` when this process dies, by kill -9 too.
 * Empty where the machine has no program for it. The signal is bound to the thread that spawns: main thread only.
 *
 * @param path PATH of the command's environment; /usr/bin is searched as well
 */
export async function deathSignalPrefix(signal: Signal, path: string): Promise<readonly string[]> {
  const prefix = await (found.get(path) ?? remember(path));
  return prefix === undefined
    ? []
    : [...prefix(signal), '/bin/sh', '-c', unlessOrphaned, String(process.pid)];
}

function remember(path: string): Promise<Prefix | undefined> {
  const search = findPrefix(path);
  found.set(path, search);
  return search;
}

/** setpriv knows --pdeathsig since util-linux 2.33 (RHEL 8 has 2.32), hence the try. */
async function findPrefix(path: string): Promise<Prefix | undefined> {
  for (const candidate of candidates(path)) if (await works(candidate)) return candidate;
  return undefined;
}

function candidates(path: string): Prefix[] {
  const [setpriv, perl, python] = ['setpriv', 'perl', 'python3'].map((program) => findProgram(program, path));
  const number = prctl[process.arch];
  const made: Prefix[] = [];
  if (setpriv !== undefined) made.push((signal) => [setpriv, '--pdeathsig', signal.slice(3), '--']);
  if (perl !== undefined && number !== undefined)
    made.push((signal) => [
      perl,
      '-e',
      `syscall(${number}, 1, ${constants.signals[signal]}, 0, 0, 0) == 0 or exit 98; exec { $ARGV[0] } @ARGV; exit 127`,
      '--',
    ]);
  if (python !== undefined)
    made.push((signal) => [
      python,
      '-c',
      `import ctypes, os, sys; ctypes.CDLL(None).prctl(1, ${constants.signals[signal]}) == 0 or sys.exit(98); os.execvp(sys.argv[1], sys.argv[1:])`,
    ]);
  return made;
}

async function works(prefix: Prefix): Promise<boolean> {
  const [file = '', ...rest] = prefix('SIGKILL');
  const { failed } = await execa(file, [...rest, '/bin/sh', '-c', ':'], {
    reject: false,
    extendEnv: false,
    stdio: 'ignore',
    timeout: 10_000,
  });
  return !failed;
}

/** Looks where the system keeps its own programs as well, whatever PATH says. */
export const findProgram = (program: string, path: string): string | undefined =>
  [...path.split(delimiter), '/usr/bin', '/bin']
    .filter((folder) => folder.startsWith('/'))
    .map((folder) => join(folder, program))
    .find(isExecutable);

function isExecutable(file: string): boolean {
  try {
    accessSync(file, files.X_OK);
    return true;
  } catch {
    return false;
  }
}
