/** `supervisors/<job>[_task][.node][.number].json`: what a supervisor is doing, for who can read its files but not reach its port. */
import { mkdir, readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { readIfThere, writeAtomic } from '../disk/atomic.ts';
import { lifeOf, makeOwner, ownerSchema, type Owner } from '../disk/owner.ts';

export interface StateFile extends AsyncDisposable {
  /** Writes soon; of several states at once only the last is written. */
  write(state: object): void;
  /** Writes the last state now, for who is told next to look at it. Never rejects. */
  written(): Promise<void>;
}

export interface StateFileOptions {
  readonly path: string;
  /** A state that does not change is written anew after so long, as a sign of life. */
  readonly beatMs?: number;
  /** Writes are at least so far apart: a shared disk is not a log. */
  readonly gapMs?: number;
  /** A write that failed (the disk is full, the server away). The next one tries again. */
  readonly onError?: (error: unknown) => void;
}

/** Disposing writes the last state. The file stays: it says how a job that is gone has ended. */
export async function openStateFile(options: StateFileOptions): Promise<StateFile> {
  const { path, beatMs = 30_000, gapMs = 1000 } = options;
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const owner = makeOwner();
  let heartbeat = 0;
  let state: object | undefined;
  let timer: NodeJS.Timeout | undefined;
  let running = Promise.resolve();
  let lastMs = -Infinity;

  const save = async (): Promise<void> => {
    if (state === undefined) return;
    heartbeat += 1;
    lastMs = performance.now();
    const text = JSON.stringify(
      { ...state, owner, heartbeat, written_at: new Date().toISOString() },
      null,
      2,
    );
    await writeAtomic(path, `${text}\n`).catch((error: unknown) => options.onError?.(error));
  };
  const saveIn = (delayMs: number): void => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      running = running.then(save);
      saveIn(beatMs);
    }, delayMs);
    timer.unref();
  };

  return {
    write(next) {
      state = next;
      saveIn(Math.max(0, lastMs + gapMs - performance.now()));
    },
    async written() {
      running = running.then(save);
      saveIn(beatMs);
      await running;
    },
    async [Symbol.asyncDispose]() {
      clearTimeout(timer);
      await running;
      await save();
    },
  };
}

const stateSchema = z.looseObject({
  phase: z.string(),
  owner: ownerSchema,
  heartbeat: z.number(),
});

/**
 * `ended`: it said so itself. `gone`: its process is proven dead, or it was silent for too long, without saying so.
 */
export type Presence = 'running' | 'ended' | 'gone';

export interface SupervisorRecord {
  /** `<job>[_task][.node][.number]` */
  readonly name: string;
  readonly presence: Presence;
  /** Since the file was written; by the clocks of two machines where the disk is shared. */
  readonly ageMs: number;
  readonly state: Readonly<Record<string, unknown>>;
  /** Who has written it. */
  readonly uid: number;
}

const SILENT_MS = 120_000;

/** Every supervisor that wrote its state into the folder, newest first. A file that is not one is passed over. */
export async function readSupervisors(folder: string, now: Date): Promise<SupervisorRecord[]> {
  // Listing the folder also renews an NFS client's idea of it: a new file can stay hidden for 30 s without.
  const names = await readdir(folder).catch(() => []);
  const records = await Promise.all(
    names.filter((name) => name.endsWith('.json')).map((name) => readSupervisor(join(folder, name), now)),
  );
  return records.filter((record) => record !== undefined).sort((a, b) => a.ageMs - b.ageMs);
}

/** Undefined for a file that is not one. */
export async function readSupervisor(path: string, now: Date): Promise<SupervisorRecord | undefined> {
  try {
    const [text = '', { mtimeMs, uid }] = await Promise.all([readIfThere(path), stat(path)]);
    const state = stateSchema.parse(JSON.parse(text));
    const ageMs = Math.max(0, now.getTime() - mtimeMs);
    return {
      name: basename(path, '.json'),
      presence: presenceOf(state.phase, state.owner, ageMs),
      ageMs,
      state,
      uid,
    };
  } catch {
    return undefined;
  }
}

function presenceOf(phase: string, owner: Owner, ageMs: number): Presence {
  if (phase === 'ended') return 'ended';
  const life = lifeOf(owner);
  if (life === 'unknown') return ageMs < SILENT_MS ? 'running' : 'gone';
  return life === 'alive' ? 'running' : 'gone';
}
