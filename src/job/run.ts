/** What a run does once everything is open: ingest, answer, serve. */
import { codeOf } from '../errors.ts';
import { countsText } from '../observe/counts.ts';
import { logFailures } from '../observe/failures.ts';
import { lateText } from '../observe/pace.ts';
import type { Terminal } from '../observe/live-line.ts';
import { withProgress } from '../observe/progress.ts';
import { makeLooks } from '../ingest/seen.ts';
import { readTeam } from '../slurm/team.ts';
import type { AnswerRecord, IngestProgress, IngestReport, SeenFiles } from '../work.ts';
import type { Endpoint } from '../serve/serve.ts';
import type { Keys } from './shown/face.ts';
import { watchFolders } from './documents/folder-watch.ts';
import { whyFrozen } from './prepare/frozen.ts';
import type { OpenOrders } from './documents/ingest-orders.ts';
import type { OpenJob } from './open.ts';
import type { Done } from './life/outcome.ts';
import type { Prepared } from './prepare/prepare.ts';
import { explainStop, stopText, whyStop } from './life/stop-reason.ts';
import { runWorkload } from './services/workload.ts';
import { untilServing } from './life/until-serving.ts';

export interface RunInput {
  readonly open: OpenJob;
  /** Aborted by a signal of the user or of Slurm. */
  readonly stop: AbortSignal;
  readonly terminal: Terminal | null;
  readonly onAnswer: (record: AnswerRecord) => void;
  /** Called when every service is ready; what it returns is closed when the run begins to stop. */
  readonly publish: () => Promise<AsyncDisposable>;
  readonly endpoint: Endpoint;
  readonly files: Keys['files'];
  /** What clients want ingested. */
  readonly orders: Pick<OpenOrders, 'end'>;
}

/** @throws the error that ended a significant service, or the work's own */
export async function runToEnd(input: RunInput): Promise<Done> {
  const { open, stop } = input;
  const { log, lost, watch, prepared } = open;
  const run: Run = {
    ...input,
    signal: AbortSignal.any([stop, lost]),
    onIngested: (report) => (ingested = report),
  };
  let stopped: string | undefined;
  let ingested: IngestReport | null = null;
  const learnWhy = (): void => {
    stopped = stopText(stop.reason, watch.status().time_left_s);
  };
  const say = (): void => {
    log('info', `stopping: ${explainStop(stop.reason)}`);
    learnWhy();
    watch.phase('stop');
    const { warned, over } = whyStop(stop.reason);
    over.addEventListener('abort', learnWhy, { once: true });
    // Before the wall time a workload keeps its services until it has ended. At TERM they may have got it too.
    if (prepared.intent.kind !== 'workload' || !warned) open.tree.letEnd();
    else over.addEventListener('abort', () => open.tree.letEnd(), { once: true });
  };
  stop.addEventListener('abort', say);
  if (stop.aborted) say(); // it came while everything was being opened
  try {
    return { ...(await doIntent(run)), stopped };
  } catch (error) {
    // Stopped while it waited for something: what it had ingested is done, the rest is left.
    if (stop.aborted && codeOf(error) === 'aborted') return { ingest: ingested, workLeft: true, stopped };
    throw error;
  } finally {
    stop.removeEventListener('abort', say);
    watch.phase('stop');
  }
}

interface Run extends RunInput {
  readonly signal: AbortSignal;
  /** Told what an ingest made, for a run that is stopped in what comes after it. */
  readonly onIngested: (report: IngestReport) => void;
}

async function doIntent(run: Run): Promise<Done> {
  const { intent } = run.open.prepared;
  if (intent.kind === 'workload') return serveWorkload(run, intent);
  return intent.kind === 'serve' ? serve(run, intent.inputs) : doGiven(run, intent);
}

async function doGiven(
  run: Run,
  { inputs, query }: { readonly inputs: readonly string[]; readonly query: string | null },
): Promise<Done> {
  const { open, signal } = run;
  const ingest = inputs.length === 0 ? null : await ingestAll(run, inputs);
  const workLeft = ingest?.complete === false;
  if (query === null || workLeft) return { ingest, workLeft };
  if (ingest !== null) await open.layouts.toAnswering(signal);
  open.watch.phase('answering-begins');
  await untilServing(open.tree, open.prepared.plan, signal);
  run.onAnswer(await open.work.query({ query, topk: open.prepared.settings.RAG_TOPK, signal }));
  return { ingest, workLeft: false };
}

/** Ingests and answers side by side, until it is told to stop. The first failure of either ends both. */
async function serve(run: Run, inputs: readonly string[]): Promise<Done> {
  const halt = new AbortController();
  const signal = AbortSignal.any([run.signal, halt.signal]);
  const both = { ...run, signal };
  const orHalt = async <T>(activity: Promise<T>): Promise<T> => {
    try {
      return await activity;
    } catch (error) {
      halt.abort(error);
      throw error;
    }
  };
  const results = await Promise.allSettled([
    orHalt(inputs.length === 0 ? Promise.resolve(null) : ingestOnAndOn(both, inputs)),
    orHalt(publishAndWait(both, inputs.length > 0)),
    takeUploads(both),
  ]);
  await run.orders.end();
  const failed = results.find(
    (result) => result.status === 'rejected' && codeOf(result.reason) !== 'aborted',
  );
  if (failed?.status === 'rejected') throw failed.reason;
  const [ingest] = results;
  const report = ingest.status === 'fulfilled' ? ingest.value : null;
  const isLeft = inputs.length > 0 && report?.complete !== true;
  return { ingest: report, workLeft: isLeft || run.open.work.library.waiting() > 0 };
}

/** What other supervisors of the index were sent is taken in by the one that looks for new files. */
async function takeUploads({ open, signal }: Run): Promise<void> {
  if (whyFrozen(open.prepared) !== undefined) return;
  await open.work.library.serve(isLooking(open.prepared) ? lookEveryMs(open.prepared) : 0, signal);
}

const lookEveryMs = ({ settings }: Prepared): number => settings.RAG_WATCH_SECONDS * 1000;

/** Of several tasks with the same inputs the first looks for all of them. */
const isLooking = (prepared: Prepared): boolean =>
  lookEveryMs(prepared) > 0 && (readTeam(prepared.environment)?.rank ?? 0) === 0;

/** The index stands before the workload begins, so that the same question finds the same passages from its first to its last. */
async function serveWorkload(
  run: Run,
  { inputs, command }: Extract<Prepared['intent'], { kind: 'workload' }>,
): Promise<Done> {
  const { open, signal } = run;
  const ingest = inputs.length === 0 ? null : await ingestAll(run, inputs);
  if (ingest?.complete === false) return { ingest, workLeft: true };
  if (ingest !== null) await open.layouts.toAnswering(signal);
  await untilServing(open.tree, open.prepared.plan, signal);
  open.watch.phase('answering-begins');
  const publication = await run.publish();
  try {
    const workload = await runWorkload({ ...run, command });
    return { ingest, workLeft: run.stop.aborted && workload.code !== 0, workload };
  } finally {
    await publication[Symbol.asyncDispose]();
  }
}

/** All inputs, then what is new in them. */
async function ingestOnAndOn(run: Run, inputs: readonly string[]): Promise<IngestReport> {
  const { work, log, prepared } = run.open;
  const leastPauseMs = lookEveryMs(prepared);
  const isLast = !isLooking(prepared);
  const looks = makeLooks();
  const first = await ingestAll(run, inputs, isLast ? undefined : looks);
  if (first.complete && !(await switched(run))) return first;
  if (isLast) return first;
  looks.endLook(first.complete);
  return watchFolders({ work, inputs, looks, leastPauseMs, log }, first, run.signal);
}

/** @returns false when it was stopped: what is ingested is done all the same */
async function switched({ open, signal }: Run): Promise<boolean> {
  try {
    await open.layouts.toAnswering(signal);
    return true;
  } catch (error) {
    if (signal.aborted) return false;
    throw error;
  }
}

async function publishAndWait(run: Run, isIngesting: boolean): Promise<void> {
  const { tree, prepared, layouts } = run.open;
  await layouts.inForce((layout) => untilServing(tree, prepared.plan, run.signal, layout));
  const publication = await run.publish();
  if (!isIngesting) run.open.watch.phase('answering-begins');
  try {
    await untilAborted(run.signal);
  } finally {
    await publication[Symbol.asyncDispose]();
  }
}

async function ingestAll(
  { open, signal, terminal, onIngested }: Run,
  inputs: readonly string[],
  seen?: SeenFiles,
): Promise<IngestReport> {
  const { log, watch, work, layouts } = open;
  const started = performance.now();
  const warnWhenLate = makeLateWarning(open);
  watch.phase('ingest-begins');
  log('info', `ingest begins: ${inputsText(inputs)}`);
  const place = {
    terminal,
    tell: (line: string) => log('info', line),
    timeLeft: () => watch.status().time_left_s,
    prefix: '',
  };
  const report = await withProgress(place, (show) => {
    const onProgress = (progress: IngestProgress): void => {
      const seconds = (performance.now() - started) / 1000;
      watch.progress(progress, seconds);
      show(progress);
      warnWhenLate(progress, seconds);
    };
    return work.ingest({ inputs, onProgress, signal, ...(seen && { seen }) });
  });
  log('info', `ingest ${report.complete ? 'done' : 'stopped'}: ${countsText(report)}`);
  logFailures(report.failures, log);
  if (layouts.state() === 'answering') watch.phase('answering-begins');
  onIngested(report);
  return report;
}

const mostInputs = 5;

/** A list of inputs may have thousands. */
const inputsText = (inputs: readonly string[]): string =>
  inputs.length <= mostInputs
    ? inputs.join(', ')
    : `${inputs.slice(0, mostInputs).join(', ')} and ${inputs.length - mostInputs} more`;

const lookEverySeconds = 30;

/** Said once: whoever reads it can act on it once. */
function makeLateWarning({ watch, log }: OpenJob): (progress: IngestProgress, seconds: number) => void {
  let nextLook = lookEverySeconds;
  return (progress, seconds) => {
    if (seconds < nextLook) return;
    const late = lateText(progress, seconds, watch.status().time_left_s);
    nextLook = late === undefined ? seconds + lookEverySeconds : Infinity;
    if (late !== undefined) log('warn', late);
  };
}

const untilAborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
