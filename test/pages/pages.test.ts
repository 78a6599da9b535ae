/** Pages that cannot lie: each command can be typed, each name and link is there, each block marked `bash` is run. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { flagOf, settingNames } from '../../src/config/settings.ts';
import { commonFlags } from '../../src/commands/verb.ts';
import { verbs } from '../../src/commands/verbs.ts';
import { blocksOf, type Code, pages, readPage, spansOf } from './blocks.ts';
import { commandsIn } from './commands.ts';
import { isKnownName, ourName, problemsOf, slurmOptions } from './judge.ts';

const top = join(import.meta.dirname, '../..');

const shells = ['bash', 'sh'];
const shellBlocks = (page: string): Code[] =>
  blocksOf(page).filter(({ language }) => shells.includes(language));

/** Within a line, what begins with one of our programs is a command; of a form with choices none can be typed. */
const isCommand = (text: string): boolean =>
  /^(?:[A-Z_]+=\S+ )*(?:node dist\/supervisor\.js|(?:bin\/)?rag-allinone|sbatch|srun|squeue|sinfo|scancel|curl|npm|python3|export|scripts\/\S+\.sh) \S/.test(
    text,
  ) && !/[[\]|]/.test(text);

const problemsIn = ({ place, text }: Code): string[] => {
  try {
    return commandsIn(text)
      .flatMap((command) => problemsOf(command))
      .map((problem) => `${place}: ${problem}`);
  } catch (error) {
    return [`${place}: bash cannot read it: ${String(error)}`];
  }
};

for (const page of pages) {
  test(`${page}: every command can be typed`, () => {
    const spans = spansOf(page).filter(({ text }) => isCommand(text));
    assert.deepEqual([...shellBlocks(page), ...spans].flatMap(problemsIn), []);
  });
}

/** Where the blocks marked `bash` are run. */
const runners: Readonly<Record<string, string>> = {
  'README.md': 'test/journeys/readme.test.ts',
  'docs/clients.md': 'test/journeys/clients.test.ts',
  'docs/guides/documents.md': 'test/journeys/guides.slow.test.ts',
  'docs/guides/shared-service.md': 'test/journeys/guides.slow.test.ts',
  'docs/guides/training.md': 'test/journeys/guides.slow.test.ts',
  'docs/models.md': 'test/journeys/model-clients.test.ts',
};

test('every block marked bash is run by a test', () => {
  const wanted = pages.filter((page) => blocksOf(page).some(({ language }) => language === 'bash'));
  assert.deepEqual(wanted, Object.keys(runners).sort());
  for (const [page, file] of Object.entries(runners))
    assert.ok(readFileSync(join(top, file), 'utf8').includes(`'${page}'`), `${file} runs ${page}`);
});

test('every block says in which language it is', () => {
  const languages = [...shells, 'text', 'python', 'json', 'yaml'];
  const without = pages.flatMap(blocksOf).filter(({ language }) => !languages.includes(language));
  assert.deepEqual(
    without.map(({ place }) => place),
    [],
  );
});

test('every setting that a page names is read by somebody', () => {
  const unknown = pages.flatMap((page) =>
    [...readPage(page).matchAll(ourName)].map(([name]) => name).filter((name) => !isKnownName(name)),
  );
  assert.deepEqual([...new Set(unknown)], []);
});

test('every flag that stands alone in a line is one of a verb, a setting or Slurm', () => {
  const flags = new Set(
    [
      ...settingNames.map((name) => flagOf(name)),
      ...Object.values(verbs).flatMap(({ flags }) => Object.keys(flags)),
      ...Object.keys(commonFlags),
    ].map((flag) => `--${flag}`),
  );
  const scripts = globSync(['sbatch/*', 'scripts/*.{sh,ts,py}', 'scripts/sidecar/*.py'], { cwd: top })
    .map((path) => readFileSync(join(top, path), 'utf8'))
    .join('\n');
  const isKnown = (flag: string): boolean =>
    flags.has(flag) || Object.values(slurmOptions).flat().includes(flag) || scripts.includes(flag);
  const unknown = pages
    .flatMap(spansOf)
    .map(({ place, text }) => ({ place, flag: /^--[a-z][a-z0-9-]*/.exec(text)?.[0] }))
    .filter(({ flag }) => flag !== undefined && !isKnown(flag));
  assert.deepEqual(unknown, []);
});

const sources = globSync(['src/**/*.ts', 'sbatch/*', 'bin/*', 'scripts/*.{sh,py}', 'scripts/sidecar/*.py'], {
  cwd: top,
})
  .map((path) => readFileSync(join(top, path), 'utf8'))
  .join('\n');

test('every error that a page quotes is one that the program says', () => {
  const quoted = pages.flatMap(spansOf).filter(({ text }) => text.startsWith('Cannot '));
  // What stands for a name is `...`; what comes after the colon is a piece of its own.
  const pieces = quoted.flatMap(({ place, text }) =>
    text.split(/\.\.\.|:/).map((piece) => ({ place, piece: piece.trim() })),
  );
  assert.ok(pieces.length > 10);
  assert.deepEqual(
    pieces.filter(({ piece }) => piece !== '' && !sources.includes(piece)),
    [],
  );
});

/** As GitHub makes them: small letters, no marks, blanks as hyphens. */
const anchorsOf = (page: string): string[] =>
  [...readPage(page).matchAll(/^#+ (.*)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );

test('every link between pages leads to a file, and to a heading of it', () => {
  const broken = pages.flatMap((page) =>
    [...readPage(page).matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)/g)].flatMap(
      ([link, path = '', anchor]) => {
        const target = path === '' ? page : join(dirname(page), path);
        const isThere = existsSync(join(top, target));
        const hasHeading = anchor === undefined || (isThere && anchorsOf(target).includes(anchor));
        return isThere && hasHeading ? [] : [`${page}: ${link}`];
      },
    ),
  );
  assert.deepEqual(broken, []);
});

const folder = mkdtempSync(join(tmpdir(), 'rag-pages-'));
after(() => rmSync(folder, { recursive: true }));
/** Without one Slurm's tools do not even print their help. */
const SLURM_CONF = join(folder, 'slurm.conf');
writeFileSync(SLURM_CONF, 'ClusterName=none\nSlurmctldHost=localhost\nAuthType=auth/none\n');

/** In manuals since Slurm 20, and run by the guides' test and the doctor. */
const inNoHelp = ['--me', '--test-only'];

for (const [tool, options] of Object.entries(slurmOptions)) {
  const help = spawnSync(tool, ['--help'], { encoding: 'utf8', env: { ...process.env, SLURM_CONF } });
  test(
    `${tool} has the options of the table`,
    { skip: help.error === undefined ? false : `no ${tool}` },
    () => {
      const text = `${help.stdout}${help.stderr}`;
      assert.deepEqual(
        options.filter((option) => !text.includes(option) && !inNoHelp.includes(option)),
        [],
      );
    },
  );
}

test('what cannot be typed is found', () => {
  const problems = (text: string): number => problemsIn({ place: 'x', text }).length;
  const wrong = [
    'rag-allinone qury "a"',
    'node dist/supervisor.js query --tpok 3 a',
    'rag-allinone status "$(rag-allinone stauts)"',
    'sbatch sbatch/rag_allinnone.sbatch',
    'sbatch --tmie=1 sbatch/rag_allinone.sbatch',
    'sbatch sbatch/rag_allinone.sbatch --inputfile x',
    'srun --overlap rag-allinone qeury x',
    'RAG_HOEM=x sbatch sbatch/rag_allinone.sbatch',
    'export RAG_TOPPK=3',
    'python3 scripts/sidecarr.py --check',
    'python3 scripts/sidecar.py --chekc',
    'curl $url/retreive',
    'npm run biuld',
    'scripts/tset.sh',
    'frobnicate x',
    'echo "a',
  ];
  for (const text of wrong) assert.ok(problems(text) > 0, text);
  assert.equal(problems('RAG_TOPK=3 rag-allinone query "a" | tee x | cat; squeue -j $job'), 1, 'tee alone');
});
