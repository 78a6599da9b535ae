/** The modules that npm installed: where they lie, what of them ships, under what licence. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { isLicence, isShipped } from './ships.ts';

export interface Module {
  /** The folder, as npm names it: `node_modules/ajv/node_modules/fast-uri`. */
  readonly place: string;
  readonly name: string;
  readonly version: string;
  /** SPDX, as its package.json says. */
  readonly licence: string;
  /** Paths inside the module: of all its files, and of those that ship. */
  readonly paths: readonly string[];
  readonly files: readonly string[];
  readonly licences: readonly { readonly file: string; readonly text: string }[];
}

interface Lock {
  readonly packages: Readonly<Record<string, { readonly integrity?: string }>>;
}

const readJson = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'));

/**
 * Sorted by place. A module of which nothing but its package.json would ship (types) is left out.
 *
 * @param root the folder with package-lock.json, and with node_modules as npm made it from that
 * @throws when npm installed another thing than the lock names
 */
export function readModules(root: string): Module[] {
  const lock = readJson(join(root, 'package-lock.json')) as Lock;
  const installed = readJson(join(root, 'node_modules/.package-lock.json')) as Lock;
  const places = Object.keys(installed.packages).sort();
  const strange = places.filter(
    (place) => installed.packages[place]?.integrity !== lock.packages[place]?.integrity,
  );
  if (strange.length > 0) throw new Error(`not what package-lock.json names: ${strange.join(', ')}`);
  return places.map((place) => readModule(root, place)).filter(isUseful);
}

const isUseful = ({ files }: Module): boolean => files.some((path) => path !== 'package.json');

function readModule(root: string, place: string): Module {
  const folder = join(root, place);
  const { name, version, license } = readJson(join(folder, 'package.json')) as Record<
    'name' | 'version' | 'license',
    string | undefined
  >;
  const paths = listFiles(folder).sort();
  return {
    place,
    name: name ?? place,
    version: version ?? '',
    licence: license ?? 'not said',
    paths,
    files: paths.filter((path) => !isGathered(path) && isShipped(name ?? '', path)),
    licences: paths
      .filter(isGathered)
      .map((file) => ({ file, text: readFileSync(join(folder, file), 'utf8').trim() })),
  };
}

/** A page of HTML is of no use among texts: it ships where it lies. */
const isGathered = (path: string): boolean => isLicence(path) && !path.endsWith('.html');

/** Without the modules inside, which have places of their own. Links (`.bin`) are not followed. */
function listFiles(folder: string, under = folder): string[] {
  return readdirSync(under, { withFileTypes: true }).flatMap((entry) => {
    const path = join(under, entry.name);
    if (entry.isDirectory()) return entry.name === 'node_modules' ? [] : listFiles(folder, path);
    return entry.isFile() ? [relative(folder, path)] : [];
  });
}
