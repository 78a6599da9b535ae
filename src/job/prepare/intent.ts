/** What this run is asked to do. Pure. */
import { RagError } from '../../errors.ts';
import type { Settings } from '../../config/settings.ts';
import { corpusInputs } from './corpus.ts';

type PlanMode = 'ingest' | 'query' | 'serve' | 'workload';

export type Intent =
  /** Ingest, answer, then end. Either part may be empty. */
  | { readonly kind: 'given'; readonly inputs: readonly string[]; readonly query: string | null }
  /** Ingest, then answer until the job ends. */
  | { readonly kind: 'serve'; readonly inputs: readonly string[] }
  /** Ingest, then answer until the user's command has ended. */
  | { readonly kind: 'workload'; readonly inputs: readonly string[]; readonly command: Command }
  /** Outside a job and nothing given: the sample corpus, in a throw-away folder. */
  | { readonly kind: 'dry-run' };

export type Command = readonly [string, ...string[]];

export interface IntentInput {
  readonly settings: Pick<Settings, 'RAG_WORKER_MODE' | 'RAG_INPUT_FILE' | 'RAG_CORPUS' | 'RAG_DB_DIR'>;
  readonly query: string | undefined;
  /** The words after `--`. */
  readonly workload?: readonly string[];
  readonly insideJob: boolean;
}

export interface Decided {
  readonly intent: Intent;
  readonly warnings: readonly string[];
}

type InputSettings = Pick<Settings, 'RAG_INPUT_FILE' | 'RAG_CORPUS' | 'RAG_DB_DIR'>;

const filesOf = ({ RAG_INPUT_FILE: files }: InputSettings): string[] =>
  files?.split('\n').filter((line) => line.trim() !== '') ?? [];

/** What the settings name to be ingested. */
export const inputsOf = (settings: InputSettings): string[] => [
  ...filesOf(settings),
  ...corpusInputs(settings),
];

/** @throws usage when a mode lacks what it works on */
export function makeIntent({ settings, query, workload = [], insideJob }: IntentInput): Decided {
  const files = filesOf(settings);
  const inputs = inputsOf(settings);
  const mode = settings.RAG_WORKER_MODE;
  const serve = (): Intent => {
    if (query === undefined) return { kind: 'serve', inputs };
    throw new RagError(
      'usage',
      'Cannot answer --query: a service answers at its endpoint, --mode query is wanted',
      {
        hint: `node dist/supervisor.js run --mode query --query ${JSON.stringify(query)}`,
      },
    );
  };
  const [program, ...words] = workload;
  if (program !== undefined) {
    if (mode === 'ingest' || mode === 'query' || query !== undefined) throw noServiceForIt();
    return { intent: { kind: 'workload', inputs, command: [program, ...words] }, warnings: tagWarning(mode) };
  }
  if (mode === 'ingest')
    return { intent: { kind: 'given', inputs: needed(inputs), query: null }, warnings: [] };
  if (mode === 'query' && files.length > 0) throw inputUnused();
  if (mode === 'query') return { intent: { kind: 'given', inputs: [], query: asked(query) }, warnings: [] };
  if (mode === 'serve') return { intent: serve(), warnings: [] };
  const warnings = tagWarning(mode);
  if (insideJob) return { intent: serve(), warnings };
  if (inputs.length === 0 && query === undefined) return { intent: { kind: 'dry-run' }, warnings };
  return { intent: { kind: 'given', inputs, query: query ?? null }, warnings };
}

const tagWarning = (mode: string): readonly string[] =>
  mode === 'auto' || mode === 'serve'
    ? []
    : [`Mode "${mode}" is taken as a tag for logs; the work is the default's.`];

const noServiceForIt = (): RagError =>
  new RagError('usage', 'Cannot start a command: a run that ingests or answers one question ends with that', {
    hint: 'leave --mode and --query out: run --input-file DIR -- python train.py',
  });

/** @throws usage when there is none */
export function needed(inputs: readonly string[]): readonly string[] {
  if (inputs.length > 0) return inputs;
  throw new RagError('usage', 'Cannot ingest: no input is given, a file, folder, glob or @list is wanted', {
    hint: 'node dist/supervisor.js ingest --here DIR, or run --mode ingest --input-file DIR',
  });
}

const inputUnused = (): RagError =>
  new RagError(
    'usage',
    'Cannot use --input-file: mode query only answers, no mode or mode ingest is wanted',
    {
      hint: 'leave --mode out to ingest, then answer',
    },
  );

function asked(query: string | undefined): string {
  if (query !== undefined && query.trim() !== '') return query;
  throw new RagError('usage', 'Cannot answer: no question is given', {
    hint: 'node dist/supervisor.js run --mode query --query "What does it do?"',
  });
}

/** Which services such a run needs when nobody says. */
export function planMode(intent: Intent): PlanMode {
  if (intent.kind === 'given') return intent.query === null ? 'ingest' : 'query';
  return intent.kind === 'workload' ? 'workload' : 'serve';
}

/** What it does with its models, in this order. Who only ingests has no use for a generator, and may be an evaluation. */
export function workOf(intent: Intent): 'ingests-then-answers' | 'answers' | undefined {
  if (intent.kind === 'dry-run') return undefined;
  return intent.inputs.length === 0 ? 'answers' : 'ingests-then-answers';
}
