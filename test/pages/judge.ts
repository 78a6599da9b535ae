/** Whether a command of a page can be typed as it stands: its program, its flags, its files and its settings are there. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { commonFlags } from '../../src/commands/verb.ts';
import { verbs } from '../../src/commands/verbs.ts';
import { parseCommandLine } from '../../src/config/flags.ts';
import { messageOf } from '../../src/errors.ts';
import type { Command } from './commands.ts';

const top = join(import.meta.dirname, '../..');
const read = (path: string): string => readFileSync(join(top, path), 'utf8');

/** What the program, its scripts or its batch scripts know by name: settings, and what they give to a workload. */
const sources = globSync(['src/**/*.ts', 'sbatch/*', 'scripts/*.{sh,py}', 'scripts/sidecar/*.py'], {
  cwd: top,
})
  .map(read)
  .join('\n');
export const ourName = /\b(?:RAG|OLLAMA|RERANKER|RETRIEVER|LOG|NUM_TRAIN)_[A-Z][A-Z_]*[A-Z]\b/g;
const known = new Set([...sources.matchAll(ourName)].map(([name]) => name));
export const isKnownName = (name: string): boolean => known.has(name);

/** Options of Slurm's tools that pages use. A test holds this table against the tools' own help. */
export const slurmOptions: Readonly<Record<string, readonly string[]>> = {
  sbatch:
    '--array --constraint --cpus-per-task --dependency --exclude --gres --mem --no-requeue --nodes --parsable --partition --test-only --time'.split(
      ' ',
    ),
  srun: '--gres --jobid --nodelist --overlap --pty'.split(' '),
  squeue: '--me --noheader -h -j -o -u'.split(' '),
  scancel: ['--batch', '--full', '--signal'],
  sinfo: ['-o'],
  scontrol: [],
};

/** Programs of the reader's system, and words of his shell: nothing of ours can be wrong in them. */
const systems = new Set(
  (
    'awk bash cat cd chmod command cp df echo eval export findmnt getconf getent grep head id kill ln ls mkdir mktemp module ' +
    'mv nvidia-smi ollama printf ps quota rm scp sha256sum source ssh tail tar test true ulimit unset until uv sleep ['
  ).split(' '),
);

const launcher = /^(?:"?\$(?:\{?RAG_HOME\}?)"?\/)?(?:bin\/)?rag-allinone$/;
const inCheckout = (word: string): string => word.replace(/^"?\$\{?RAG_HOME\}?"?\//, '').replace(/^\.\//, '');

/** @returns what is wrong with it; nothing: somebody can type it */
export function problemsOf({ words, assigns }: Command): string[] {
  const names = assigns.flatMap((name) => name.match(ourName) ?? []).filter((name) => !isKnownName(name));
  return [...names.map((name) => `nobody reads ${name}`), ...problemsOfWords(words)];
}

function problemsOfWords(words: readonly string[]): string[] {
  const [program = '', ...rest] = words;
  if (program === '') return [];
  if (launcher.test(program)) return problemsOfVerb(rest);
  if (program === 'node' && inCheckout(rest[0] ?? '') === 'dist/supervisor.js')
    return problemsOfVerb(rest.slice(1));
  if (program === 'node') return rest.filter((word) => !word.startsWith('-')).flatMap(problemsOfFile);
  if (program in slurmOptions) return problemsOfSlurm(program, rest);
  if (/^(?:python3|\$RERANKER_PYTHON)$/.test(program)) return problemsOfPython(rest);
  if (program === 'curl') return rest.flatMap(problemsOfUrl);
  if (program === 'npm') return problemsOfNpm(rest);
  if (program === 'git') return rest[0] === 'clone' ? [] : [`git ${rest[0] ?? ''}`];
  if (program === 'bash' && (rest[0] ?? '').includes('/')) return problemsOfFile(rest[0] ?? '');
  if (/^(?:scripts|bin|bench)\//.test(inCheckout(program))) return problemsOfFile(program);
  return systems.has(program) ? [] : [`nothing looks at "${program}"`];
}

/** As the program itself reads it. */
function problemsOfVerb(words: readonly string[]): string[] {
  const [first = 'run'] = words;
  const isNamed = !first.startsWith('-');
  if (words.length === 1 && ['--version', '--help', 'help'].includes(first)) return [];
  const verb = verbs[isNamed ? first : 'run'];
  if (verb === undefined) return [`there is no verb ${first}`];
  try {
    const line = parseCommandLine(isNamed ? words.slice(1) : words, { ...commonFlags, ...verb.flags });
    const [word] = line.positionals;
    return word !== undefined && verb.words === undefined ? [`${first} takes no "${word}"`] : [];
  } catch (error) {
    return [messageOf(error)];
  }
}

/** What follows the name of a batch script, or the options of srun, is a command, or words for the supervisor. */
function problemsOfSlurm(tool: string, words: readonly string[]): string[] {
  const options = words.slice(0, restOf(tool, words));
  const [script = '', ...rest] = words.slice(options.length);
  const unknown = options
    .filter((word) => word.startsWith('-'))
    .map((word) => word.split('=')[0] ?? '')
    .filter((option) => !slurmOptions[tool]?.includes(option))
    .map((option) => `${tool} ${option} is not in the table`);
  if (tool === 'srun') return [...unknown, ...problemsOfWords([script, ...rest])];
  if (tool !== 'sbatch') return unknown;
  const path = inCheckout(script);
  if (!/^(?:sbatch|scripts\/slurm)\//.test(path))
    return [...unknown, ...(/\.sbatch$|^$/.test(path) ? [] : [`sbatch ${path}`])];
  const takesCommand = /searchr1|rag_retriever_node/.test(path);
  return [...unknown, ...problemsOfFile(path), ...(takesCommand ? [] : problemsOfVerb(['run', ...rest]))];
}

/** squeue, scancel and the like take no command. */
const restOf = (tool: string, words: readonly string[]): number => {
  const index = ['sbatch', 'srun'].includes(tool) ? words.findIndex((word) => !word.startsWith('-')) : -1;
  return index === -1 ? words.length : index;
};

const problemsOfFile = (word: string): string[] =>
  existsSync(join(top, inCheckout(word))) ? [] : [`there is no ${inCheckout(word)}`];

/** Modules of training code are the reader's own, as are scripts that lie in his folder. */
function problemsOfPython(words: readonly string[]): string[] {
  const [first = '', ...rest] = words;
  if (first === '-c' || first === '-m' || !first.includes('/')) return [];
  const options = rest.map((word) => word.split('=')[0] ?? '').filter((word) => word.startsWith('--'));
  const unknown = options.filter((option) => !sources.includes(`"${option}"`));
  return [...problemsOfFile(first), ...unknown.map((option) => `${first} has no ${option}`)];
}

/** Paths of the endpoint stand in its routes; below /api/ all are passed on. */
function problemsOfUrl(word: string): string[] {
  const path = /^(?:\$\w+|https?:\/\/[^/]+)(\/[\w/-]*)/.exec(word)?.[1];
  if (path === undefined || path.startsWith('/api/')) return [];
  return sources.includes(`'${path}'`) ? [] : [`there is no route ${path}`];
}

function problemsOfNpm([verb = '', script = '']: readonly string[]): string[] {
  if (verb === 'install') return [];
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Readonly<Record<string, string>> };
  return verb === 'run' && scripts[script] !== undefined ? [] : [`npm ${verb} ${script}`];
}
