import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { connect, type Connection, type Table } from '@lancedb/lancedb';
import type { Schema } from 'apache-arrow';
import { readIfThere, writeAtomic } from '../disk/atomic.ts';
import { makeOwner, type Owner } from '../disk/owner.ts';
import { RagError } from '../errors.ts';
import { syncPath } from './durable.ts';
import { healTable } from './consolidate/heal.ts';

/**
 * Where the tables of an index lie. `main` is written by whoever consolidates; each shard by one run only.
 * Shards of failures and removals lie beside the shard of chunks, under the same name.
 */
export interface IndexFolder {
  readonly root: string;
  readonly shards: string;
  readonly say: (line: string) => void;
  /** One connection per folder, because it holds the caches. Only where the folder exists: connecting makes it. */
  readonly connections: Map<string, Promise<Connection>>;
  /** Of the shards that this process made. */
  readonly nonces: Set<string>;
  /** What a claim of this process says of it. */
  readonly owner: () => Owner;
}

/** Removals are only ever in shards: they go when they have been carried out. */
export type Kind = 'chunks' | 'failures' | 'removals';

const suffixes: Readonly<Record<Kind, string>> = { chunks: '', failures: '.failures', removals: '.removals' };

const kindOf = (name: string): Kind =>
  name.endsWith(suffixes.failures) ? 'failures' : name.endsWith(suffixes.removals) ? 'removals' : 'chunks';

export const indexFolder = (
  root: string,
  say: (line: string) => void,
  owner: () => Owner = makeOwner,
): IndexFolder => ({
  root,
  shards: path.join(root, 'shards'),
  say,
  connections: new Map(),
  nonces: new Set(),
  owner,
});

export type MainKind = Exclude<Kind, 'removals'>;

export const mainName = (kind: MainKind): string => (kind === 'chunks' ? 'main' : 'failures');
const shardName = (writer: string, kind: Kind): string => writer + suffixes[kind];

/** Letters, digits, dot, dash and underscore are what a table's name may have. @throws usage */
export function assertWriterName(name: string): void {
  if (/^[\w\-][\w.\-]*$/v.test(name) && kindOf(name) === 'chunks') return;
  throw new RagError(
    'usage',
    `Cannot write as "${name}": a writer's name has letters, digits, ".", "-" and "_"`,
  );
}

export const tablePath = (place: string, name: string): string => path.join(place, `${name}.lance`);

/**
 * Inside the shard, so that it goes where the shard goes. LanceDB passes it over (measured, 0.37.1: create, add,
 * optimize with cleanup), and does not write it into a folder that it makes anew under a writer.
 */
export const ownerPath = (shard: string): string => path.join(shard, 'owner.json');

export function connection(folder: IndexFolder, place: string): Promise<Connection> {
  const open = folder.connections.get(place) ?? connect(place);
  folder.connections.set(place, open);
  return open;
}

/** Names of the shards that were made, whole or not. A folder without an owner is none: nothing in it was acknowledged. */
export async function shardNames(folder: IndexFolder, kind: Kind): Promise<string[]> {
  const names = await readdir(folder.shards).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  return names
    .filter((name) => name.endsWith('.lance') && existsSync(ownerPath(path.join(folder.shards, name))))
    .map((name) => path.basename(name, '.lance'))
    .filter((name) => kindOf(name) === kind);
}

/**
 * Undefined when there is no such table. A shard without a whole manifest counts as none: its writer died
 * before the first acknowledgement.
 *
 * @throws index-damaged
 */
async function openTable(folder: IndexFolder, place: string, name: string): Promise<Table | undefined> {
  const at = tablePath(place, name);
  if (!existsSync(at)) return undefined;
  const health = await healTable(at, folder.say);
  if (health === 'damaged' && place === folder.root) {
    throw new RagError('index-damaged', `Cannot open ${at}: none of its manifests is whole, one is wanted`, {
      hint: `Restore ${at} from a backup, or remove ${folder.root} and ingest again.`,
    });
  }
  return health === 'sound' ? (await connection(folder, place)).openTable(name) : undefined;
}

export const openMain = (folder: IndexFolder, kind: MainKind): Promise<Table | undefined> =>
  openTable(folder, folder.root, mainName(kind));

export const openShard = (folder: IndexFolder, name: string): Promise<Table | undefined> =>
  openTable(folder, folder.shards, name);

export interface ClaimedShard {
  readonly name: string;
  readonly path: string;
  /** What its owner file says. */
  readonly owner: string;
  readonly table: Table;
}

/** False when somebody took the shard away, believing that its writer was gone. */
export const isInPlace = async ({ path: at, owner }: ClaimedShard): Promise<boolean> =>
  (await readIfThere(ownerPath(at))) === owner;

export interface ShardClaim {
  readonly writer: string;
  readonly kind: Kind;
  readonly schema: Schema;
  /** What its owner file will say. */
  readonly owner: string;
}

/**
 * Makes a shard that nobody else has, under a name that no other will ever have: who wakes after an hour and does to it
 * what he was about to do finds it or finds nothing, never the shard of somebody else.
 */
export async function claimShard(
  folder: IndexFolder,
  { writer, kind, schema, owner }: ShardClaim,
): Promise<ClaimedShard> {
  await mkdir(folder.shards, { recursive: true });
  for (const holder of [folder.root, path.dirname(folder.root)]) await syncPath(holder);
  const name = shardName(`${writer}.${randomUUID().slice(0, 8)}`, kind);
  const at = tablePath(folder.shards, name);
  await mkdir(at);
  await writeAtomic(ownerPath(at), owner);
  const table = await (await connection(folder, folder.shards)).createEmptyTable(name, schema);
  return { name, path: at, owner, table };
}

/**
 * Takes its name from a shard. Who still writes under that name sees before he acknowledges that it is gone: from
 * now on no row can come to it that nobody counts.
 *
 * @returns the new name, under which it is a shard as before
 */
export async function sealShard(folder: IndexFolder, name: string): Promise<string> {
  const sealed = `${randomUUID().slice(0, 8)}.${name}`;
  await rename(tablePath(folder.shards, name), tablePath(folder.shards, sealed)).catch(unlessGone);
  return sealed;
}

/** Away by a rename first: a shard that is half deleted could be neither read nor told from a damaged one. */
export async function removeShards(folder: IndexFolder, names: readonly string[]): Promise<void> {
  await mkdir(trash(folder), { recursive: true });
  for (const name of names)
    await rename(tablePath(folder.shards, name), path.join(trash(folder), randomUUID())).catch(unlessGone);
  await syncPath(folder.shards);
  await emptyTrash(folder);
}

const unlessGone = (error: NodeJS.ErrnoException): void => {
  if (error.code !== 'ENOENT') throw error;
};

/** What a removal that was cut short has left. */
export const emptyTrash = (folder: IndexFolder): Promise<void> =>
  rm(trash(folder), { recursive: true, force: true });

export const trash = (folder: IndexFolder): string => path.join(folder.root, 'trash');

/** A string as SQL writes it. */
export const sqlString = (text: string): string => `'${text.replaceAll("'", "''")}'`;

export const inList = (column: string, values: readonly string[]): string =>
  `${column} IN (${values.map(sqlString).join(', ')})`;
