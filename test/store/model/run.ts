/** A run of the model: a process of its own to all others, with its clock, its claims and its end. */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readdir, readFile, utimes } from 'node:fs/promises';
import path from 'node:path';
import { makeOwner, type Owner } from '../../../src/disk/owner.ts';
import { readStat } from '../../../src/machine/processes.ts';
import { claimRecord } from '../../../src/store/write/record.ts';
import { indexFolder, type IndexFolder } from '../../../src/store/tables.ts';
import { turnFile } from '../../../src/store/consolidate/turn.ts';
import type { ChunkRow } from '../../../src/store/types.ts';
import { newestVersion } from '../../../src/store/versions/versions.ts';
import { makeWriter, type Writer } from '../../../src/store/write/writer.ts';
import { encoder } from '../samples.ts';
import { Life } from './effects.ts';
import type { State } from './truth.ts';

export interface RunKind {
  /** `here`: its end is proven. `elsewhere`: who hears nothing of it for long believes that it is gone. */
  readonly where: 'here' | 'elsewhere';
  /** Its clock is ahead by so much. */
  readonly aheadMs: number;
}

/** A document that a run is about to write. */
export interface Plan {
  readonly document: string;
  readonly edition: State;
  readonly hash: string;
  /** The first chunk comes last. */
  rest: ChunkRow[];
  /** How often the document had changed when the run asked what is known of it. */
  readonly since: number;
}

export interface Run {
  readonly kind: RunKind;
  readonly name: string;
  readonly life: Life;
  readonly child: ChildProcess | undefined;
  readonly folder: IndexFolder;
  readonly writer: Writer;
  plans: Plan[];
  /** It sleeps, and does this when it wakes. */
  waking: (() => Promise<void>) | undefined;
}

const elsewhere = 'another boot';

/** @param plans of the process that it takes the place of */
export async function beginRun(
  root: string,
  kind: RunKind,
  { name, plans }: Pick<Run, 'name' | 'plans'>,
): Promise<Run> {
  const child = kind.where === 'here' ? spawn('sleep', ['3600'], { stdio: 'ignore' }) : undefined;
  if (child !== undefined) await once(child, 'spawn');
  const pid = child?.pid ?? 1;
  const started = readStat(pid)?.startTime ?? 0;
  const { place } = makeOwner();
  const owner = (): Owner => ({
    nonce: randomUUID(),
    pid,
    started,
    place: child === undefined ? elsewhere : place,
  });
  const life = new Life(kind.aheadMs);
  const folder = indexFolder(root, () => undefined, owner);
  const writer = await life.run(async () => {
    await claimRecord(root, encoder);
    return makeWriter(folder, encoder, name, await newestVersion(folder));
  }).done;
  return { kind, name, life, child, folder, writer, plans, waking: undefined };
}

/** Two hours go by for whoever looks at what is its own, if nothing else tells whether it lives. */
export async function silence({ kind, life, folder }: Run): Promise<void> {
  if (kind.where === 'here' && life.state !== 'dead') return;
  const then = new Date(Date.now() - 2 * 3_600_000);
  const claim = path.join(folder.root, turnFile);
  if (existsSync(claim) && (await readFile(claim, 'utf8')).includes(elsewhere))
    await utimes(claim, then, then);
  for (const name of await readdir(folder.shards).catch(() => [])) {
    const shard = path.join(folder.shards, name);
    const owner = path.join(shard, 'owner.json');
    const { nonce = '' } = existsSync(owner)
      ? (JSON.parse(await readFile(owner, 'utf8')) as Partial<Owner>)
      : {};
    if (existsSync(owner) && !folder.nonces.has(nonce)) continue;
    await utimes(shard, then, then);
    for (const manifest of await readdir(path.join(shard, '_versions')).catch(() => []))
      await utimes(path.join(shard, '_versions', manifest), then, then);
  }
}

/** `kill -9`, and time goes by. */
export async function bury(run: Run): Promise<void> {
  run.life.die();
  await silence(run);
  const { child } = run;
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}
