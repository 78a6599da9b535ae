/**
 * Everything that a run holds, opened in the order of the lines and closed in the reverse order: folders, log,
 * connections, guard, services, threads, the index, and the `Work` on top.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';

import { openParserPool } from '../documents/pool.ts';
import { codeOf, exitCodeOf, messageOf } from '../errors.ts';
import type { Flights } from '../models/flights.ts';
import { openLog, type Log } from '../observe/log.ts';
import type { Paint } from '../observe/paint.ts';
import { jobKey } from '../slurm/job.ts';
import { readTeam } from '../slurm/team.ts';
import { openStore } from '../store/wire/client.ts';
import type { Tree } from '../supervise/spec.ts';
import type { Rerank, Roster } from '../models/types.ts';
import { makeSupervisorId, markedWith } from './services/contain.ts';
import { makeEncoding, makeUntilEncoder } from './models/encoder.ts';
import { version } from '../version.ts';
import { openFolders, type Folders } from './folders.ts';
import { openFurther } from './models/further.ts';
import { beginLines, failedText, keptLogs, makeLimitTold, toldPhases } from './shown/job-lines.ts';
import type { Layouts } from './life/layouts.ts';
import { makeModels } from './models/models.ts';
import { linkOldNames } from './shown/old-names.ts';
import { openOutsideParser, type OpenOutsideParser } from './services/outside-parser.ts';
import type { Prepared } from './prepare/prepare.ts';
import { untilChannel } from './services/ready-children.ts';
import { openReranker } from './models/reranker.ts';
import { openWatch, type Watch } from './shown/watch.ts';
import { type Report, reporting } from './shown/report.ts';
import { measuredIngest, measuredModels, measuredWork } from './picture/measured-work.ts';
import { openSamples, type Samples } from './picture/samples.ts';
import { definedOnly } from './services/services.ts';
import { withServices, type Services } from './services/supervised.ts';
import { openTokens } from './models/token-counter.ts';
import { type LocalWork, makeWork } from './work.ts';

export interface OpenJob {
  readonly prepared: Prepared;
  readonly folders: Folders;
  readonly log: Log;
  readonly watch: Watch;
  readonly samples: Samples;
  /** What the job's report says up to now. */
  readonly report: () => Report;
  readonly tree: Tree;
  readonly roster: Roster;
  readonly flights: Flights;
  readonly layouts: Layouts;
  readonly work: LocalWork;
  /** Undefined when the job has none. */
  readonly rerank: Rerank | undefined;
  /** Aborts when a significant service is spent. Its reason is the error to end with. */
  readonly lost: AbortSignal;
}

/** Parsing is all CPU; one core stays for the supervisor and the store host. */
const parserThreads = (cpus: number): number => Math.max(1, Math.min(8, cpus - 1));
const maxFileBytes = 512 * 1024 * 1024;
const timeoutMsPerFile = 120_000;

export interface Asker {
  readonly tell: (line: string) => void;
  /** Ends the opening; once all is open, `use` has to listen itself. */
  readonly signal: AbortSignal;
  /** Of what `tell` writes. */
  readonly paint?: { readonly err: Paint };
  /** The lines of the log say what the run is doing: for one that does several things. */
  readonly inPhases?: boolean;
}

/** Opens all, calls `use`, closes all in reverse. @throws what `use` throws, or preflight and aborted while opening */
export async function withJob<T>(
  given: Prepared,
  { tell, signal, paint, inPhases = false }: Asker,
  use: (open: OpenJob) => Promise<T>,
): Promise<T> {
  const { settings, environment, job } = given;
  const run = randomBytes(4).toString('hex');

  const supervisorId = makeSupervisorId(job, run);
  // Slurm's commands carry the mark too: one that waits for a lost controller must not outlive us.
  const prepared = { ...given, environment: { ...environment, RAG_SUPERVISOR_ID: supervisorId } };
  // First, because the logs of a second supervisor have its name, and its last word comes when nothing of the run is left.
  const notes = makeNotes();
  const limit = makeLimitTold();
  await using ownWatch = await openWatch(prepared, {
    onError: (error) => notes.take(`state file: ${messageOf(error)}`),
    onEndsAt: (at) => limit.at(at),
  });
  const failed = (error: unknown): never => {
    ownWatch.outcome({ exit: exitCodeOf(error), reason: messageOf(error) });
    throw error;
  };
  const node = job.nodes > 1 ? job.node : undefined;
  const place = { job: jobKey(job), node, beside: ownWatch.beside };
  await using folders = await openFolders(settings.LOG_ROOT, place, environment['TMPDIR']).catch(failed);
  using log = openLog({ path: join(folders.logs, 'supervisor.jsonl'), tell, paint: paint?.err });
  using _ = notes.goInto(log);
  if (inPhases) log.phase('starting');
  const watch = inPhases ? toldPhases(ownWatch, log, prepared.intent) : ownWatch;
  for (const line of beginLines(prepared, folders.logs)) log('info', line);
  limit.goInto(log);
  const onError = (error: unknown): void => log.file(`report: ${messageOf(error)}`);
  await using samples = await openSamples({
    folder: folders.logs,
    gpus: prepared.plan.gpus,
    path: environment['PATH'] ?? '',
    mark: markedWith(supervisorId),
    onError,
  });
  const opened = { prepared, folders, log, watch, samples };
  const record = { prepared, run, version: version(), folder: folders.logs, now: () => new Date(), onError };
  return await reporting(record, { ...watch, samples }, async (report) => {
    try {
      return await withServices({ ...opened, inherited: environment, supervisorId, signal }, (services) =>
        withWork({ ...opened, run, report }, services, use),
      );
    } catch (error) {
      // The error itself is told at the very end, with its hint, when everything is closed.
      if (inPhases)
        log('info', failedText(exitCodeOf(error), codeOf(error) ?? 'bug', keptLogs(prepared, folders)));
      return failed(error);
    }
  });
}

interface Notes {
  take(line: string): void;
  /** Those that came so far, and those that come before it is disposed. */
  goInto(log: Log): Disposable;
}

/** What is said before there is a log waits for it; after that nobody hears it. */
function makeNotes(): Notes {
  const early: string[] = [];
  let take = (line: string): void => void early.push(line);
  return {
    take: (line) => take(line),
    goInto: (log) => {
      for (const line of early) log.file(line);
      take = (line) => log.file(line);
      return { [Symbol.dispose]: () => void (take = () => undefined) };
    },
  };
}

interface Opened extends Pick<OpenJob, 'prepared' | 'folders' | 'log' | 'watch' | 'samples' | 'report'> {
  /** Names this run among those of the job. */
  readonly run: string;
}

/** Threads, the index, and the `Work` on top of the services. */
async function withWork<T>(
  { run, ...opened }: Opened,
  { tree, served, http, containment, layouts, lost }: Services,
  use: (open: OpenJob) => Promise<T>,
): Promise<T> {
  const { prepared, folders, log, samples } = opened;
  const { settings, job, plan } = prepared;
  const { roster } = served;
  const { tell } = samples.deeds;
  const chunker = {
    targetTokens: settings.RAG_CHUNK_TOKENS,
    overlapTokens: settings.RAG_CHUNK_OVERLAP,
    parser: prepared.parser?.name,
  };
  await using outside = openOutside({ prepared, folders, log, containment });
  await using parser = openParserPool({
    threads: parserThreads(job.cpus),
    chunker,
    maxFileBytes,
    timeoutMsPerFile,
    outside: outside && { parser: outside, scratch: folders.scratch },
  });
  await using tokens = await openTokens({ plan: prepared.plan, settings, log });
  await using store = openStore({
    untilChannel: (signal) => untilChannel(tree, 'store', signal),
    signal: lost,
  });
  await using reranker = await openReranker({ plan, settings, tree, log });
  const { rerank } = reranker;
  const encoding = { plan, settings, tree, served, layouts, signal: lost };
  const untilEncoder = makeUntilEncoder(encoding);
  const encode = makeEncoding({ ...encoding, untilEncoder });
  await using further = openFurther(encoding);
  const work = makeWork({
    settings,
    store,
    parser,
    chunker,
    tokens,
    models: measuredModels(makeModels({ prepared, roster, http, rerank, encode, signal: lost }), tell),
    team: readTeam(prepared.environment),
    log,
    writer: `${jobKey(job)}-${job.restart}-${run}`,
    untilEncoder,
    further: further.indexes,
    measure: (ingest) => measuredIngest(ingest, tell),
  });
  await linkOldNames(settings.LOG_ROOT, folders.logs, plan, 'ingest');
  return await watched(
    { ...opened, tree, roster, flights: http.flights, layouts, work: measuredWork(work, tell), rerank, lost },
    use,
  );
}

function openOutside({
  prepared: { parser: program, plan, job, environment },
  ...rest
}: Pick<OpenJob, 'prepared' | 'folders' | 'log'> & Pick<Services, 'containment'>):
  | OpenOutsideParser
  | undefined {
  if (program === undefined) return undefined;
  const { parser: gpus } = plan.slices;
  return openOutsideParser({ ...rest, program, gpus, cpus: job.cpus, baseEnv: definedOnly(environment) });
}

/** Whatever the work made of it: when a service is spent, that is why the run ends. */
async function watched<T>(open: OpenJob, use: (open: OpenJob) => Promise<T>): Promise<T> {
  try {
    const result = await use(open);
    open.lost.throwIfAborted();
    return result;
  } catch (error) {
    throw open.lost.aborted ? open.lost.reason : error;
  }
}
