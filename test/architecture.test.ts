/** The walls of the house: who may import whom, who may read the environment, how long a file may be. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { test } from 'node:test';

/**
 * Room (or file at the top of src/): what it may import, beside itself and what is everyone's.
 * `types:x` allows the types of x only.
 */
const mayImport: Readonly<Record<string, string>> = {
  supervisor: 'hand-over commands',
  commands:
    'config plan slurm machine disk supervise services models tokens documents store ingest query job doctor client serve observe signals',

  // the job
  doctor: 'config plan slurm machine disk supervise services models job store observe',
  job: 'config plan slurm machine disk supervise services models tokens documents store ingest query serve page observe',
  serve: 'query models machine disk page observe',
  client: 'disk services slurm ingest observe',

  // a document, a question
  ingest: 'documents models store disk observe',
  query: 'models tokens words store observe',
  documents: 'tokens words observe',
  models: 'types:supervise/spec observe',
  store: 'types:supervise/spec words disk observe',
  tokens: 'machine observe',
  words: '',

  // a process
  services: 'config plan slurm machine disk supervise models words observe',
  supervise: 'machine observe',
  plan: 'types:slurm types:machine',

  // what is true of the world
  config: 'observe',
  slurm: 'observe',
  machine: 'observe',
  disk: 'machine observe',
  observe: '',
  // A browser runs it, too.
  page: '',
  'hand-over': '',
  signals: '',

  errors: '',
  work: '',
  library: '',
  sibling: '',
  version: '',
};
const everyones = ['errors', 'work', 'library', 'sibling', 'version'];
const maxLines = 300;
const maxBatchScriptLines = 60;

interface Source {
  readonly path: string;
  readonly text: string;
}

interface Import {
  readonly from: string;
  /** Path under src/ without extension, or a bare module name. */
  readonly target: string;
  readonly typeOnly: boolean;
}

const top = dirname(import.meta.dirname);
const read = (pattern: string): Source[] =>
  globSync(pattern, { cwd: top }).map((path) => ({ path, text: readFileSync(join(top, path), 'utf8') }));

/** `src/store/host.ts` -> `store/host` */
const nameOf = (path: string): string => path.replace(/^src\//, '').replace(/\.ts$/, '');
const roomOf = (name: string): string => name.split('/')[0] ?? name;

/** `{ type A, type B }` imports types only, as `type { A, B }` does. */
const namesTypesOnly = (clause: string): boolean =>
  clause.startsWith('type ') || /^\{\s*(type\s+[^,}]+,?\s*)+\}$/.test(clause);

const targetOf = (path: string, specifier: string): string =>
  nameOf(normalize(join(dirname(path), specifier)));

function importsOf({ path, text }: Source): Import[] {
  const statements = [
    ...text.matchAll(/^(?:import|export)\s+(?:([^;'"]*?)\s+from\s+)?'([^']+)'/gm),
    ...text.matchAll(/\b()import\('([^']+)'\)/g),
  ];
  return statements.map(([, clause = '', specifier = '']) => ({
    from: nameOf(path),
    target: specifier.startsWith('.') ? targetOf(path, specifier) : specifier,
    typeOnly: namesTypesOnly(clause),
  }));
}

function isAllowed({ from, target, typeOnly }: Import): boolean {
  const [room, other] = [roomOf(from), roomOf(target)];
  if (room === 'page') return other === 'page';
  if (target.startsWith('node:')) return room !== 'plan';
  const isPackage = mayImport[other] === undefined;
  if (isPackage || room === other || everyones.includes(other)) return true;
  const words = (mayImport[room] ?? '').split(' ');
  return (
    words.includes(other) || (typeOnly && [other, target].some((name) => words.includes(`types:${name}`)))
  );
}

const forbiddenImports = (sources: readonly Source[]): string[] =>
  sources
    .flatMap(importsOf)
    .filter((one) => !isAllowed(one))
    .map(({ from, target }) => `${from} imports ${target}`);

/** Threads and forks: files that somebody starts by their path. */
const programsOf = (sources: readonly Source[]): string[] =>
  sources.flatMap(({ path, text }) =>
    [...text.matchAll(/\bsiblingPath\(\s*import\.meta\.url,\s*'([^']+)'/g)].map(([, name = '']) =>
      targetOf(path, name),
    ),
  );

/** The door reads the environment and config/ understands it; a program of its own gets one made for it. */
function environmentReaders(sources: readonly Source[]): string[] {
  const may = ['supervisor', 'commands/main', ...programsOf(sources)];
  return sources
    .filter(({ text }) => /\bprocess\.env\b/.test(text))
    .map(({ path }) => nameOf(path))
    .filter((name) => roomOf(name) !== 'config' && !may.includes(name));
}

const longerThan = (sources: readonly Source[], max: number): string[] =>
  sources
    .map(({ path, text }) => ({ path, lines: text.trimEnd().split('\n').length }))
    .filter(({ lines }) => lines > max)
    .map(({ path, lines }) => `${path}: ${lines} lines`);

const sources = read('src/**/*.ts');

test('a room imports only the rooms that it may', () => {
  assert.deepEqual(forbiddenImports(sources), []);
});

test('every room has its line in the table', () => {
  const rooms = new Set(sources.map(({ path }) => roomOf(nameOf(path))));
  assert.deepEqual(
    [...rooms].filter((room) => mayImport[room] === undefined),
    [],
  );
});

test('only the door, config and programs of their own read the environment', () => {
  assert.deepEqual(environmentReaders(sources), []);
});

test('no file is too long to read at one sitting', () => {
  const files = [...sources, ...read('test/**/*.ts'), ...read('scripts/*.{ts,sh}'), ...read('bench/**/*.ts')];
  assert.deepEqual(longerThan(files, maxLines), []);
  assert.deepEqual(longerThan(read('sbatch/*'), maxBatchScriptLines), []);
});

const violations: ReadonlyArray<readonly [string, Source]> = [
  ['store imports models', { path: 'src/store/x.ts', text: "import { embed } from '../models/embed.ts';" }],
  [
    'store imports supervise code',
    { path: 'src/store/x.ts', text: "import { start } from '../supervise/spec.ts';" },
  ],
  [
    'supervise imports Slurm',
    { path: 'src/supervise/x.ts', text: "import type { Job } from '../slurm/job.ts';" },
  ],
  [
    'query imports ingest on demand',
    { path: 'src/query/x.ts', text: "await import('../ingest/ingest.ts');" },
  ],
  [
    'plan imports a module of Node',
    { path: 'src/plan/x.ts', text: "import { readFile } from 'node:fs/promises';" },
  ],
  [
    'the page imports what a browser has not',
    { path: 'src/page/x.ts', text: "import { createHash } from 'node:crypto';" },
  ],
  [
    'the page imports another room',
    { path: 'src/page/x.ts', text: "import { version } from '../version.ts';" },
  ],
  ['a room imports a verb', { path: 'src/job/x.ts', text: "export * from '../commands/run.ts';" }],
];
for (const [name, source] of violations) {
  test(`the table forbids that ${name}`, () => assert.equal(forbiddenImports([source]).length, 1));
}

test('types may cross where the table says so', () => {
  const text =
    "import { type ChildSpec, type Channel } from '../supervise/spec.ts';\nimport type { A } from '../supervise/spec.ts';";
  assert.deepEqual(forbiddenImports([{ path: 'src/store/x.ts', text }]), []);
});

test('a room that reads the environment is found, and the program that it starts is not', () => {
  const room = {
    path: 'src/store/open.ts',
    text: "process.env['HOME']; siblingPath(import.meta.url, 'host');",
  };
  const program = { path: 'src/store/host.ts', text: "process.env['HOME'];" };
  assert.deepEqual(environmentReaders([room, program]), ['store/open']);
});
