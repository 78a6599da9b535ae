/**
 * `ollama_service.json`: where other jobs find this one's endpoint. One owner at a time, by link and rename alone.
 * Nothing is correct only because a file is held: a reader proves the server before it trusts the address.
 */
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { claimByLink, readIfThere, removeIfOwned, writeAtomic } from '../disk/atomic.ts';
import { lifeOf, makeOwner, ownerSchema, type Owner } from '../disk/owner.ts';

/** What the owner tells about itself. `host`, `port` and `job_id` are what older scripts read. */
export interface Service {
  readonly host: string;
  readonly port: number;
  readonly job_id: string;
  /** As Slurm's tools name it: `4711`, `4711_2` for a task of an array. */
  readonly job: string;
  readonly ip: string;
  readonly url: string;
  /** Paths of files; the tokens themselves are never here. */
  readonly token_file: string;
  readonly url_token_file: string;
  readonly node: string;
  /** Array task; null outside an array. */
  readonly task: string | null;
  readonly models: Readonly<Record<string, string>>;
  /** ISO 8601. */
  readonly started_at: string;
}

export type PublicationState =
  | { readonly state: 'published' }
  /** Another owner's file stands there. We look again at every beat and take over once it is proven stale. */
  | { readonly state: 'held'; readonly by: string };

export interface Publication extends AsyncDisposable {
  current(): PublicationState;
}

export interface PublicationOptions {
  readonly path: string;
  readonly service: Service;
  /** Of the file. Default: for its owner only. */
  readonly mode?: number;
  /** How often the owner writes its counter anew, and the others look at it. */
  readonly beatMs?: number;
  /** A file that did not change for so long, by our own clock, has no owner: clocks of nodes differ. */
  readonly staleMs?: number;
  /** Told of the first state and of every change. */
  readonly onChange?: (state: PublicationState) => void;
  /** A beat that failed: the disk is full, the server away. The next one tries again. */
  readonly onError?: (error: unknown) => void;
}

/**
 * Publishes the service, or learns who does. Disposing removes the file if it is still ours.
 * @throws disk-full, preflight at the first attempt; never later
 */
export async function openPublication(options: PublicationOptions): Promise<Publication> {
  const { path, service, mode = 0o600, beatMs = 30_000, staleMs = 120_000 } = options;
  const owner = makeOwner();
  const watch = makeWatch(staleMs);
  let beats = 0;
  const step = (): Promise<PublicationState> => {
    beats += 1;
    return nextBeat({ path, mode, owner, watch, content: render(service, owner, beats) });
  };

  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  let current = await step();
  options.onChange?.(current);
  const beat = async (): Promise<void> => {
    try {
      const next = await step();
      const changed = describe(next) !== describe(current);
      current = next;
      if (changed) options.onChange?.(next);
    } catch (error) {
      options.onError?.(error);
    }
  };
  let running = Promise.resolve();
  const timer = setInterval(() => {
    running = running.then(beat);
  }, beatMs);
  timer.unref();
  return {
    current: () => current,
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await running;
      await removeIfOwned(path, (content) => isBy(content, owner));
    },
  };
}

const describe = (state: PublicationState): string => (state.state === 'held' ? state.by : '');

interface Beat {
  readonly path: string;
  readonly mode: number;
  readonly owner: Owner;
  readonly watch: Watch;
  readonly content: string;
}

/** Longer than who is slow needs from his look at a stale file to its removal. */
const settleMs = 100;

/**
 * One look at the file: ours is written anew, a missing one is claimed, a stale one is taken away and claimed.
 * Of several who take over at once the link lets one in; but a slow one may then take that one's file for the
 * stale one and put it back too late (1 of 100 takeovers by four processes). So who claimed looks once more.
 */
async function nextBeat({ path, mode, owner, watch, content }: Beat): Promise<PublicationState> {
  const found = await readIfThere(path);
  if (found !== undefined && isBy(found, owner)) {
    await writeAtomic(path, content, mode);
    return { state: 'published' };
  }
  if (found !== undefined) {
    if (!isDead(found) && !watch.stoodStill(found, performance.now()))
      return { state: 'held', by: nameOf(found) };
    await removeIfOwned(path, (now) => now === found);
  }
  if ((await claimByLink(path, content, mode)) === 'claimed') await pause(settleMs);
  const now = await readIfThere(path);
  return now === content ? { state: 'published' } : { state: 'held', by: nameOf(now ?? '') };
}

interface Watch {
  /** Whether the file has held this very content for the whole stale time. */
  stoodStill(content: string, nowMs: number): boolean;
}

function makeWatch(staleMs: number): Watch {
  let last: string | undefined;
  let since = 0;
  return {
    stoodStill(content, nowMs) {
      if (content !== last) [last, since] = [content, nowMs];
      return nowMs - since >= staleMs;
    },
  };
}

const fileSchema = z.looseObject({
  host: z.string(),
  port: z.number(),
  job_id: z.string(),
  job: z.string().optional(),
  task: z.string().nullish(),
  url: z.string().optional(),
  token_file: z.string().optional(),
  url_token_file: z.string().optional(),
  node: z.string().optional(),
  pid: z.number().optional(),
  heartbeat: z.number().optional(),
  owner: ownerSchema.optional(),
});

export type ServiceFile = z.infer<typeof fileSchema>;

/** Undefined for a file that is not one of these: torn, foreign, or written by hand in another shape. */
export function parseServiceFile(text: string): ServiceFile | undefined {
  try {
    return fileSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

const render = (service: Service, owner: Owner, heartbeat: number): string =>
  `${JSON.stringify({ ...service, pid: owner.pid, heartbeat, owner }, null, 2)}\n`;

const isBy = (content: string, { nonce }: Owner): boolean =>
  parseServiceFile(content)?.owner?.nonce === nonce;

/** Only the pid's own node can prove it; a file without an owner (an older script's) must stand still. */
function isDead(content: string): boolean {
  const owner = parseServiceFile(content)?.owner;
  return owner !== undefined && lifeOf(owner) === 'dead';
}

function nameOf(content: string): string {
  const file = parseServiceFile(content);
  if (file === undefined) return 'a file of unknown origin';
  return `job ${file.job_id} on ${file.node ?? file.host}`;
}
