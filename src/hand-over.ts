/**
 * Under a Node that is too old for our dependencies (they crash on import) the door runs the project's own
 * Node, an npm dependency, in its place. This file must load on Node 18: only `node:` imports.
 */
import { spawn, spawnSync } from 'node:child_process';
import { accessSync, constants as files } from 'node:fs';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';

/** undici's floor, the highest among our dependencies. */
const wanted = [22, 19] as const;

export function isNewEnough(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > wanted[0] || (major === wanted[0] && minor >= wanted[1]);
}

/** RAG_NODE, or the Node that npm installed for this machine. */
function findNode(environment: NodeJS.ProcessEnv): string | undefined {
  const own = fileURLToPath(
    new URL(`../node_modules/node-${process.platform}-${process.arch}/bin/node`, import.meta.url),
  );
  return [environment['RAG_NODE'], own].find((path) => path !== undefined && isExecutable(path));
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, files.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Set on hand-over: a RAG_NODE that is too old as well must not hand over to itself for ever. */
export const handedOver = 'RAG_HANDED_OVER';

/** util-linux 2.32 (RHEL 8) has a setpriv that does not know the option; the IPC channel must do there. */
const findSetpriv = (): string | undefined =>
  ['/usr/bin/setpriv', '/bin/setpriv']
    .filter(isExecutable)
    .find((path) => spawnSync(path, ['--pdeathsig', 'KILL', '--', '/bin/true']).status === 0);

const forwarded = ['SIGTERM', 'SIGINT', 'SIGUSR2', 'SIGHUP'] as const;

/**
 * Runs this program under the newer Node and resolves with its exit code. Neither outlives the other: the
 * kernel kills the newer one with us where `setpriv` exists, and the IPC channel tells it everywhere.
 * Signals travel as messages, because Ctrl-C reaches both processes and must count once.
 */
export async function handOver(
  script: string,
  words: readonly string[],
  environment: NodeJS.ProcessEnv,
): Promise<number> {
  const node = environment[handedOver] === undefined ? findNode(environment) : undefined;
  if (node === undefined) {
    const name = `Cannot start: this is Node ${process.versions.node}, Node ${wanted.join('.')} or newer is wanted`;
    process.stderr.write(
      `${name}\n  hint: npm install   # in the project's folder; it brings its own Node; or mend RAG_NODE\n`,
    );
    return 78;
  }
  const setpriv = findSetpriv();
  const guarded = setpriv === undefined ? [] : [setpriv, '--pdeathsig', 'KILL', '--'];
  const [program = node, ...rest] = [...guarded, node, script, ...words];
  const child = spawn(program, rest, {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: { ...environment, [handedOver]: '1' },
  });
  for (const signal of forwarded)
    process.on(signal, () => child.connected && child.send({ signal }, () => {}));
  return new Promise((resolve) => {
    child.once('error', (error) => {
      process.stderr.write(`Cannot start ${program}: ${error.message}\n`);
      resolve(70);
    });
    child.once('exit', (code, signal) => resolve(code ?? 128 + signalNumber(signal)));
  });
}

const signalNumber = (signal: NodeJS.Signals | null): number =>
  signal === null ? 0 : constants.signals[signal];
