/** The two pages of a release that say what is in it and under what licences. Pure. */
import { highest } from './elf-needs.ts';
import type { Module } from './modules.ts';

export interface Release {
  readonly version: string;
  /** As package.json says, and whether the checkout has a text for it. */
  readonly licence: string;
  readonly hasLicenceText: boolean;
  /** With a note where the checkout had changes. */
  readonly commit: string;
  readonly node: string;
  /** Versions of symbols that any of its ELF files wants. */
  readonly wants: readonly string[];
  readonly modules: readonly Module[];
}

export const licencesFile = 'THIRD-PARTY-LICENSES';

export function makeManifest(release: Release): string {
  const { version, licence, hasLicenceText } = release;
  const rows = once(release.modules).map((module) => [
    module.name,
    module.version,
    module.licence,
    whereText(module),
  ]);
  return `rag-allinone ${version} linux-x64

commit   ${release.commit}
node     ${release.node}
wants    x86-64, ${highest(release.wants).join(', ')}
licence  ${licence}, says package.json${hasLicenceText ? '' : '; the project has no text of a licence'}

${table([['module', 'version', 'licence', 'text of the licence'], ...rows])}
`;
}

const whereText = ({ licences, place, files }: Module): string => {
  const pages = files.filter((path) => path.endsWith('.html') && /licen[cs]e/i.test(path));
  return (
    [...(licences.length > 0 ? [licencesFile] : []), ...pages.map((path) => `${place}/${path}`)].join(', ') ||
    'none in its package'
  );
};

/** Columns of the width that their contents need. */
function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** npm may lay one module in several places, and under other names (overrides). */
const once = (modules: readonly Module[]): Module[] => [
  ...new Map(modules.map((module) => [`${module.name} ${module.version}`, module])).values(),
];

export const makeLicences = (modules: readonly Module[]): string =>
  once(modules)
    .flatMap(({ name, version, licences }) =>
      licences.map(({ file, text }) => `${'='.repeat(100)}\n${name} ${version}: ${file}\n\n${text}\n`),
    )
    .join('\n');
