import { link, mkdir, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { syncPath } from '../durable.ts';
import { headManifest } from './heal.ts';

/**
 * A table as it is now, in a second place, for the price of names: its files are linked, because Lance never changes
 * one that has its final name (measured, 0.37.1: what is linked is read after main was cleaned up, and searched by its
 * indexes). Of the versions only the newest, and of the data what that one names. `latest_version_hint.json`, the one
 * file that is replaced, only saves a listing.
 *
 * @param from of a table that nobody cleans up meanwhile. @param to made here
 */
export async function linkTable(from: string, to: string): Promise<void> {
  const head = await headManifest(from);
  if (head === undefined) return;
  const manifest = await readFile(path.join(from, '_versions', head));
  await linkFiles(path.join(from, '_versions'), path.join(to, '_versions'), (name) => name === head);
  for (const { name } of await foldersIn(from)) {
    if (name === '_versions') continue;
    const isNeeded = name === 'data' ? (file: string) => manifest.includes(file) : () => true;
    await linkFiles(path.join(from, name), path.join(to, name), isNeeded);
  }
  await syncPath(to);
}

/** All that is in a folder; what is there already stays. */
export const linkFolder = (from: string, to: string): Promise<void> =>
  linkFiles(from, to, () => true, linkOnce);

async function linkFiles(
  from: string,
  to: string,
  isNeeded: (name: string) => boolean,
  put: (from: string, to: string) => Promise<void> = link,
): Promise<void> {
  await mkdir(to, { recursive: true });
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const [source, target] = [path.join(from, entry.name), path.join(to, entry.name)];
    if (entry.isDirectory()) await linkFiles(source, target, isNeeded, put);
    else if (isNeeded(entry.name)) await put(source, target);
  }
  await syncPath(to);
}

/** A file that went meanwhile, or is there already, is no matter. */
const linkOnce = (from: string, to: string): Promise<void> =>
  link(from, to).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST' && error.code !== 'ENOENT') throw error;
  });

const foldersIn = async (folder: string) =>
  (await readdir(folder, { withFileTypes: true })).filter((entry) => entry.isDirectory());
