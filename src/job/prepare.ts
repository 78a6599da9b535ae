/** From a command line to everything that is decided before anything starts. */
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { CommandLine } from '../config/flags.ts';
import { load, type Environment, type Loaded } from '../config/load.ts';
import type { Settings } from '../config/settings.ts';
import { RagError } from '../errors.ts';
import { readModel } from '../machine/model-store.ts';
import { makePlan } from '../plan/plan.ts';
import type { Plan } from '../plan/types.ts';
import { readJob, type Job } from '../slurm/job.ts';
import { makeIntent, planMode, type Intent } from './intent.ts';

export interface Prepared extends AsyncDisposable {
  readonly settings: Settings;
  readonly environment: Environment;
  readonly job: Job;
  /** What to do; the dry run has become a piece of given work. */
  readonly intent: Exclude<Intent, { kind: 'dry-run' }>;
  readonly dryRun: boolean;
  readonly plan: Plan;
  readonly warnings: readonly string[];
}

export interface PrepareInput {
  readonly line: CommandLine;
  readonly environment: Environment;
}

const project = fileURLToPath(new URL('../..', import.meta.url));

/** @throws settings, usage, preflight. Disposing removes a throw-away folder. */
export async function prepare({ line, environment }: PrepareInput): Promise<Prepared> {
  const job = readJob(environment);
  const loaded = load({ flags: line.settings, environment, file: line.values['config'] });
  if (line.workload.length > 0) throw noWorkload();
  const insideJob = job.kind === 'slurm';
  const { intent, warnings } = makeIntent({
    settings: loaded.settings,
    query: line.values['query'],
    insideJob,
  });
  if (intent.kind === 'dry-run') return prepareDryRun(line, environment, job);

  const plan = planFor(loaded.settings, environment, job, intent);
  const all = [...loaded.warnings, ...warnings, ...plan.warnings];
  const common = { environment, job, intent, plan, dryRun: false };
  if (needsThrowAway(loaded, plan, intent)) {
    const folder = await mkdtemp(join(tmpdir(), 'rag-trial-'));
    return {
      ...common,
      settings: inFolder(loaded.settings, folder),
      warnings: [
        ...all,
        `No Ollama here: this is a trial in a throw-away index. Set RAG_ENGINE=embedded to keep it.`,
      ],
      [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
    };
  }
  await checkModels(plan, loaded.settings);
  return { ...common, settings: loaded.settings, warnings: all, [Symbol.asyncDispose]: async () => {} };
}

/** The embedded engine writes to the user's index only when it was asked for by name. */
const needsThrowAway = ({ settings }: Loaded, plan: Plan, intent: Intent): boolean =>
  plan.engine === 'embedded' && settings.RAG_ENGINE === 'auto' && intent.kind !== 'dry-run';

/** The sample corpus and its first question, in a folder that goes again, whatever the environment says. */
async function prepareDryRun(line: CommandLine, environment: Environment, job: Job): Promise<Prepared> {
  const folder = await mkdtemp(join(tmpdir(), 'rag-dry-run-'));
  const flags = Object.fromEntries(Object.entries(line.settings).filter(([name]) => name === 'RAG_TOPK'));
  const { settings } = load({ flags, environment: { RAG_ENGINE: 'embedded' } });
  const inputs = [join(project, 'examples/corpus')];
  const intent = { kind: 'given', inputs, query: await firstQuestion() } as const;
  return {
    settings: inFolder(settings, folder),
    environment,
    job,
    intent,
    dryRun: true,
    plan: planFor(settings, environment, { ...job, gpus: [] }, intent),
    warnings: [],
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

async function firstQuestion(): Promise<string> {
  const rows = await readFile(join(project, 'examples/questions.jsonl'), 'utf8');
  const { question } = JSON.parse(rows.split('\n')[0] ?? '') as { question: string };
  return question;
}

const inFolder = (settings: Settings, folder: string): Settings => ({
  ...settings,
  RAG_SHARED_ROOT: folder,
  RAG_RUNTIME_STATE: join(folder, 'runtime'),
  RAG_WORKING_DIR: join(folder, 'rag_storage'),
  LOG_ROOT: join(folder, 'logs'),
});

/** @throws settings, preflight */
export function planFor(settings: Settings, environment: Environment, job: Job, intent: Intent): Plan {
  return makePlan({
    gpus: job.gpus,
    insideJob: job.kind === 'slurm',
    mode: planMode(intent),
    services: settings.RAG_SERVICES,
    engine: settings.RAG_ENGINE,
    hasOllama: isProgram(settings.OLLAMA_BIN, environment['PATH'] ?? ''),
    generateModel: settings.OLLAMA_GENERATE_MODEL,
    embedModel: settings.OLLAMA_EMBED_MODEL,
    rerankerBackend: settings.RERANKER_BACKEND,
    split: settings.RAG_GPUS,
    ollamaCount: settings.OLLAMA_GPUS,
    rerankerCount: settings.RERANKER_GPUS,
    allowCpu: settings.RAG_ALLOW_CPU,
  });
}

const isProgram = (name: string, path: string): boolean =>
  name.includes('/')
    ? existsSync(name)
    : path.split(delimiter).some((folder) => folder !== '' && existsSync(join(folder, name)));

/** Said before any GPU is used. A store that is not there says nothing: the server itself is asked later. */
export async function checkModels(plan: Plan, settings: Pick<Settings, 'OLLAMA_MODELS'>): Promise<void> {
  if (plan.engine !== 'ollama') return;
  const models = plan.instances
    .filter((instance) => instance.role !== 'rerank')
    .map((instance) => instance.model);
  const found = await Promise.all(
    models.map(async (model) => [model, await readModel(settings.OLLAMA_MODELS, model)] as const),
  );
  const missing = found.filter(([, state]) => state === 'absent').map(([model]) => model);
  if (missing.length === 0) return;
  throw new RagError(
    'preflight',
    `Cannot serve ${missing.join(' and ')}: not in the model store ${settings.OLLAMA_MODELS}, a complete model is wanted`,
    { hint: missing.map((model) => `ollama pull ${model}`).join(' && ') },
  );
}

const noWorkload = (): RagError =>
  new RagError('usage', 'Cannot start a workload: "-- command" is not yet supported', {
    hint: 'start it in the same batch script, after the endpoint file is there',
  });
