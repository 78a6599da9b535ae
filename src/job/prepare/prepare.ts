/** From a command line to everything that is decided before anything starts. */
import type { CommandLine } from '../../config/flags.ts';
import { load, type Environment, type Loaded } from '../../config/load.ts';
import type { Settings } from '../../config/settings.ts';
import { listInputs } from '../../ingest/listing.ts';
import { memoryText } from '../../plan/memory.ts';
import type { Plan } from '../../plan/types.ts';
import type { FoundService } from '../../services/find-service.ts';
import type { ParserProgram } from '../../services/parser-program.ts';
import { readAncestors, launchWarning } from '../../slurm/launch.ts';
import { readJob, type Job } from '../../slurm/job.ts';
import { checkCorpus } from './corpus.ts';
import { checkFolders, checkIndexed, refuseToAsk } from './check-folders.ts';
import { readRecord } from '../../store/write/record.ts';
import { checkModels } from './check-models.ts';
import { checkParser } from './check-parser.ts';
import { checkReranker } from './check-reranker.ts';
import { readGraceMs } from './grace.ts';
import { makeIntent, workOf, type Intent } from './intent.ts';
import { assertNotPinned, atVersion, pinForWorkload } from '../index/pinned.ts';
import { fitPlan, type FittedPlan } from './memory.ts';
import { planFor } from './plan-for.ts';
import { checkAddress, remoteService } from '../services/remote-service.ts';
import { idleSettings } from './retriever.ts';
import { openScratch } from '../../disk/scratch.ts';
import { dryRunSettings, inFolder, makeDryRunIntent } from './trial.ts';

export interface Prepared extends AsyncDisposable {
  readonly settings: Settings;
  readonly environment: Environment;
  readonly job: Job;
  /** What to do; the dry run has become a piece of given work. */
  readonly intent: Exclude<Intent, { kind: 'dry-run' }>;
  readonly dryRun: boolean;
  /** False: index and logs are thrown away at the end, as by a dry run and a trial. */
  readonly isKept: boolean;
  readonly plan: Plan;
  /** Reads PDFs and pictures; undefined: our own readers do. */
  readonly parser: ParserProgram | undefined;
  /** Where the service of another job is looked for: RAG_RUNTIME_STATE, as the user has set it. */
  readonly publishedIn: string;
  /** Embeds and answers for this run; undefined: servers of its own do. */
  readonly service?: FoundService | undefined;
  /** From TERM to KILL, for each service. */
  readonly graceMs: number;
  readonly warnings: readonly string[];
}

export interface PrepareInput {
  readonly line: CommandLine;
  readonly environment: Environment;
  /** Not a single word was given: outside a job that is the dry run, whatever the environment says. */
  readonly bare: boolean;
  /** Where that is not RAG_RUNTIME_STATE. */
  readonly publishedIn?: string;
  readonly signal: AbortSignal;
}

/** @throws settings, usage, no-input, preflight. Disposing removes a throw-away folder. */
export async function prepare(input: PrepareInput): Promise<Prepared> {
  const { line, environment, bare, signal } = input;
  const job = readJob(environment);
  if (bare && job.kind === 'local') return prepareDryRun(environment, job, signal);
  const found = load({ flags: line.settings, environment, file: line.values['config'] });
  const loaded = { ...found, settings: await atVersion(found.settings) };
  const given = {
    settings: loaded.settings,
    query: line.values['query'],
    workload: line.workload,
    insideJob: job.kind === 'slurm',
  };
  const { intent, warnings } = makeIntent(given);
  if (intent.kind === 'dry-run') return prepareDryRun(environment, job, signal);

  if (intent.inputs.length > 0) assertNotPinned(loaded.settings, 'ingest');
  if (intent.inputs.length > 0) await checkCorpus(loaded.settings);
  if (intent.inputs.length > 0) await checkInputs(intent.inputs, signal);
  const publishedIn = input.publishedIn ?? loaded.settings.RAG_RUNTIME_STATE;
  const { plan, memory } = await fitRun(loaded.settings, environment, job, intent, signal);
  const graceMs = await readGraceMs(job, environment, signal);
  const service =
    plan.engine === 'remote' ? await findElsewhere(loaded.settings, publishedIn, job, signal) : undefined;
  const kind = { dryRun: false, isKept: true };
  const common = { environment, job, intent, plan, service, graceMs, publishedIn, ...kind };
  const reads = intent.kind === 'serve' || intent.inputs.length > 0;
  const beforeWorkload = intent.kind === 'workload';
  const reranking = { plan, settings: loaded.settings, environment, job, beforeWorkload };
  // The slowest of all checks.
  const checkParserLast = async (): Promise<ParserProgram | undefined> =>
    reads ? checkParser(loaded.settings, environment, signal) : undefined;
  const idle = idleSettings(loaded.settings);
  const tight = memory.filter(({ fits }) => fits === false).map(memoryText);
  const ofPlan = [...plan.warnings, ...tight];
  const all = [...loaded.warnings, ...warnings, ...idle, ...ofPlan, ...(await launchWarnings(job))];
  if (isTrial(loaded, plan)) {
    if (intent.kind === 'given' && intent.inputs.length === 0) await refuseToAsk(loaded.settings);
    await checkReranker(reranking, signal);
    const parser = await checkParserLast();
    const trial = await openTrial(loaded.settings, environment);
    return { ...common, isKept: false, parser, ...trial, warnings: [...all, ...trial.warnings] };
  }
  await checkFolders(loaded.settings, intent.inputs.length > 0);
  if (intent.kind === 'given' && intent.inputs.length === 0) await checkIndexed(loaded.settings);
  await checkModels(plan, loaded.settings);
  await checkReranker(reranking, signal);
  const parser = await checkParserLast();
  const pinned = await pinForWorkload({ settings: loaded.settings, environment, intent, job }, signal);
  return {
    ...common,
    parser,
    settings: pinned.settings,
    warnings: [...all, ...pinned.warnings],
    [Symbol.asyncDispose]: () => pinned[Symbol.asyncDispose](),
  };
}

async function findElsewhere(
  settings: Settings,
  folder: string,
  job: Job,
  signal: AbortSignal,
): Promise<FoundService | undefined> {
  const service = await remoteService(settings, { folder, node: job.node }, signal);
  if (service !== undefined && job.kind === 'local') await checkAddress(service, signal);
  return service;
}

const fitRun = (
  settings: Settings,
  environment: Environment,
  job: Job,
  intent: Intent,
  signal: AbortSignal,
): Promise<FittedPlan> =>
  fitPlan((embedders) => planFor(settings, environment, job, intent, { embedders }), {
    settings,
    environment,
    assumed: undefined,
    work: workOf(intent),
    signal,
  });

/** The embedded engine writes to the user's index only when it was asked for by name. */
const isTrial = ({ settings }: Loaded, plan: Plan): boolean =>
  plan.engine === 'embedded' && settings.RAG_ENGINE === 'auto';

/** In a throw-away folder; the index that may be where it would be kept is left alone, which has to be said. */
async function openTrial(
  settings: Settings,
  environment: Environment,
): Promise<Pick<Prepared, 'settings' | 'warnings' | typeof Symbol.asyncDispose>> {
  const { RAG_WORKING_DIR: kept } = settings;
  const encoder = await readRecord(kept).catch(() => null);
  const { folder, [Symbol.asyncDispose]: dispose } = await openScratch('trial', environment['TMPDIR']);
  return {
    settings: inFolder(settings, folder),
    warnings: [
      'No Ollama here: this is a trial in a throw-away index. With RAG_ENGINE=embedded it is kept.',
      ...(encoder === null
        ? []
        : [`The index in ${kept} (${encoder.model}) is neither asked nor written to by this trial.`]),
    ],
    [Symbol.asyncDispose]: dispose,
  };
}

async function prepareDryRun(environment: Environment, job: Job, signal: AbortSignal): Promise<Prepared> {
  const intent = await makeDryRunIntent();
  const { folder, [Symbol.asyncDispose]: dispose } = await openScratch('trial', environment['TMPDIR']);
  const settings = inFolder(dryRunSettings(), folder);
  const plan = planFor(settings, environment, { ...job, gpus: [] }, intent);
  const graceMs = await readGraceMs(job, environment, signal);
  return {
    settings,
    environment,
    job,
    intent,
    plan,
    parser: undefined,
    publishedIn: settings.RAG_RUNTIME_STATE,
    graceMs,
    dryRun: true,
    isKept: false,
    warnings: [],
    [Symbol.asyncDispose]: dispose,
  };
}

/** A wrong path is said before any GPU is used. @throws no-input */
async function checkInputs(inputs: readonly string[], signal: AbortSignal): Promise<void> {
  const listing = listInputs({ inputs }, signal);
  await listing.next();
  await listing.return(undefined);
}

async function launchWarnings(job: Job): Promise<string[]> {
  const warning = launchWarning(job, await readAncestors(), process.channel != null);
  return warning === undefined ? [] : [warning];
}
