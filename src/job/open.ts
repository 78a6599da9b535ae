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
import { openStore } from '../store/client.ts';
import type { Tree } from '../supervise/spec.ts';
import type { Roster } from '../models/types.ts';
import { makeSupervisorId } from './contain.ts';
import { makeEncoding, makeUntilEncoder } from './encoder.ts';
import { version } from '../version.ts';
import { openFolders, type Folders } from './folders.ts';
import { openFurther } from './further.ts';
import { beginLines, failedText, tellEndOnce, toldPhases } from './job-lines.ts';
import type { Layouts } from './layouts.ts';
import { makeModels } from './models.ts';
import { linkOldNames } from './old-names.ts';
import { openOutsideParser, type OpenOutsideParser } from './outside-parser.ts';
import type { Prepared } from './prepare.ts';
import { untilChannel } from './ready-children.ts';
import { openReranker } from './reranker.ts';
import { openWatch, type Watch } from './watch.ts';
import { reporting } from './report.ts';
import { definedOnly } from './services.ts';
import { withServices, type Services } from './supervised.ts';
import { openTokens } from './token-counter.ts';
import { type LocalWork, makeWork } from './work.ts';

export interface OpenJob {
  readonly prepared: Prepared;
  readonly folders: Folders;
  readonly log: Log;
  readonly watch: Watch;
  readonly tree: Tree;
  readonly roster: Roster;
  readonly flights: Flights;
  readonly layouts: Layouts;
  readonly work: LocalWork;
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

  await using folders = await openFolders(
    settings.LOG_ROOT,
    { job: jobKey(job), node: job.nodes > 1 ? job.node : undefined },
    environment['TMPDIR'],
  );
  using log = openLog({ path: join(folders.logs, 'supervisor.jsonl'), tell, paint: paint?.err });
  if (inPhases) log.phase('starting');
  const supervisorId = makeSupervisorId(job, run);
  // Slurm's commands carry the mark too: one that waits for a lost controller must not outlive us.
  const prepared = { ...given, environment: { ...environment, RAG_SUPERVISOR_ID: supervisorId } };
  // Before the containment, so that its last word comes when nothing of the run is left.
  await using ownWatch = await openWatch(prepared, {
    onError: (error) => log.file(`state file: ${messageOf(error)}`),
    onEndsAt: tellEndOnce(log),
  });
  const watch = inPhases ? toldPhases(ownWatch, log, prepared.intent) : ownWatch;
  for (const line of beginLines(prepared, folders.logs)) log('info', line);
  const opened = { prepared, folders, log, watch };
  const onError = (error: unknown): void => log.file(`report: ${messageOf(error)}`);
  const record = { prepared, run, version: version(), folder: folders.logs, now: () => new Date(), onError };
  return await reporting(record, watch, async () => {
    try {
      return await withServices({ ...opened, inherited: environment, supervisorId, signal }, (services) =>
        withWork({ ...opened, run }, services, use),
      );
    } catch (error) {
      const exit = exitCodeOf(error);
      watch.outcome({ exit, reason: messageOf(error) });
      // The error itself is told at the very end, with its hint, when everything is closed.
      if (inPhases) log('info', failedText(exit, codeOf(error) ?? 'bug', folders.logs));
      throw error;
    }
  });
}

interface Opened extends Pick<OpenJob, 'prepared' | 'folders' | 'log' | 'watch'> {
  /** Names this run among those of the job. */
  readonly run: string;
}

/** Threads, the index, and the `Work` on top of the services. */
async function withWork<T>(
  { prepared, folders, log, watch, run }: Opened,
  { tree, served, http, containment, layouts, lost }: Services,
  use: (open: OpenJob) => Promise<T>,
): Promise<T> {
  const { settings, job, plan } = prepared;
  const { roster } = served;
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
    models: makeModels({ prepared, roster, http, rerank, encode, signal: lost }),
    team: readTeam(prepared.environment),
    log,
    writer: `${jobKey(job)}-${job.restart}-${run}`,
    untilEncoder,
    further: further.indexes,
  });
  await linkOldNames(settings.LOG_ROOT, folders.logs, plan);
  return await watched(
    { prepared, folders, log, watch, tree, roster, flights: http.flights, layouts, work, lost },
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
