import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { processesOfGroup } from '../../src/machine/processes.ts';
import type { ChildSpec, ChildState, Running, Tree } from '../../src/supervise/spec.ts';

/** Every wait of a test ends: far above what a loaded machine needs, far below the runner's own limit. */
export const soon = (): AbortSignal => AbortSignal.timeout(15_000);

export const budget = { intensity: 3, periodMs: 60_000, backoff: { baseMs: 1, capMs: 4 } };

export function temporaryFolder(): { readonly path: string; [Symbol.dispose](): void } {
  const path = mkdtempSync(join(tmpdir(), 'supervise-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

export const commandOf = (fixture: string, ...rest: string[]): [string, ...string[]] => {
  const file = join(import.meta.dirname, '../fixtures/children', fixture);
  return fixture.endsWith('.sh') ? [file, ...rest] : [process.execPath, file, ...rest];
};

const saidUp = (running: Running): boolean => running.logTail(5).includes('up');

/** A permanent child that is ready when it says `up`. */
export function childSpec(
  folder: string,
  id: string,
  command: [string, ...string[]],
  changes: Partial<ChildSpec> = {},
): ChildSpec {
  return {
    id,
    restart: 'permanent',
    significant: false,
    shutdown: { signal: 'SIGTERM', graceMs: 5000 },
    deathSignal: 'SIGKILL',
    channel: 'none',
    isolation: 'none',
    logFile: join(folder, `${id}.log`),
    after: [],
    launch: () => Promise.resolve({ command, env: { PATH: '/usr/bin:/bin' }, cwd: folder }),
    readiness: readyWhen(saidUp),
    ...changes,
  };
}

export const readyWhen = (
  isReady: (running: Running) => boolean,
  timeoutMs = 10_000,
): ChildSpec['readiness'] => ({
  periodMs: 10,
  timeoutMs,
  probe: (running) =>
    Promise.resolve(isReady(running) ? { outcome: 'ready' } : { outcome: 'not-yet', reason: 'it is silent' }),
});

export const stateOf = (tree: Tree, id: string): ChildState => {
  const status = tree.statuses().find((one) => one.id === id);
  if (status === undefined) throw new Error(`no child ${id}`);
  return status.current;
};

/** Resolves when the child is in that state; every state is seen, however short. */
export function untilState(tree: Tree, id: string, state: ChildState['state']): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(
    () => reject(new Error(`${id} is ${stateOf(tree, id).state}, wanted ${state}`)),
    15_000,
  );
  const stop = tree.onChange((status) => {
    if (status.id === id && status.current.state === state) resolve();
  });
  if (stateOf(tree, id).state === state) resolve();
  return promise.finally(() => {
    clearTimeout(timer);
    stop();
  });
}

export const pidOf = (tree: Tree, id: string): number => {
  const running = tree.running(id);
  if (running === undefined) throw new Error(`${id} is not ready`);
  return running.pid;
};

export const isGone = (pgid: number): boolean => processesOfGroup(pgid).length === 0;
