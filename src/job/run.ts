/** What a run does once everything is open: ingest, answer, serve. The phases are those of phase.ts. */
import { codeOf } from '../errors.ts';
import { openProgress } from '../observe/progress.ts';
import type { Endpoint } from '../serve/serve.ts';
import type { AnswerRecord, IngestProgress, IngestReport } from '../work.ts';
import type { OpenJob } from './open.ts';
import type { Done } from './outcome.ts';
import { nextPhase, type Phase, type PhaseEvent } from './phase.ts';

/** What others may watch while it runs. */
export interface RunView {
  phase: Phase;
  progress: (IngestProgress & { readonly seconds: number }) | null;
  endpoint: Endpoint | null;
}

export interface RunInput {
  readonly open: OpenJob;
  /** Aborted by a signal of the user or of Slurm. */
  readonly stop: AbortSignal;
  readonly view: RunView;
  readonly onChange: () => void;
  readonly onTerminal: boolean;
  readonly tell: (line: string) => void;
  readonly onAnswer: (record: AnswerRecord) => void;
  /** Called when every service is ready; what it returns is closed when the run begins to stop. */
  readonly publish: () => Promise<AsyncDisposable>;
}

/** @throws the error that ended a significant service, or the work's own */
export async function runToEnd(input: RunInput): Promise<Done> {
  const { open, stop, view } = input;
  const change = (event: PhaseEvent): void => {
    view.phase = nextPhase(view.phase, event);
    input.onChange();
  };
  const run: Run = { ...input, signal: AbortSignal.any([stop, open.lost]), change };
  const { intent } = open.prepared;
  try {
    return intent.kind === 'serve' ? await serve(run, intent.inputs) : await doGiven(run, intent);
  } catch (error) {
    if (open.lost.aborted) throw open.lost.reason;
    // Stopped while it waited for something: nothing was acknowledged, everything is left.
    if (stop.aborted && codeOf(error) === 'aborted') return { ingest: null, workLeft: true };
    throw error;
  } finally {
    change('stop');
  }
}

interface Run extends RunInput {
  readonly signal: AbortSignal;
  readonly change: (event: PhaseEvent) => void;
}

async function doGiven(
  run: Run,
  { inputs, query }: { readonly inputs: readonly string[]; readonly query: string | null },
): Promise<Done> {
  const { open, signal, change } = run;
  const ingest = inputs.length === 0 ? null : await ingestAll(run, inputs);
  const workLeft = ingest?.complete === false;
  if (query === null || workLeft) return { ingest, workLeft };
  change('answering-begins');
  await open.tree.untilReady(serviceIds(open), signal);
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
  const [ingest] = await Promise.allSettled([
    orHalt(inputs.length === 0 ? Promise.resolve(null) : ingestAll(both, inputs)),
    orHalt(publishAndWait(both)),
  ]);
  if (!run.stop.aborted) throw halt.signal.reason ?? run.signal.reason;
  const report = ingest.status === 'fulfilled' ? ingest.value : null;
  return { ingest: report, workLeft: inputs.length > 0 && report?.complete !== true };
}

async function publishAndWait(run: Run): Promise<void> {
  await run.open.tree.untilReady(serviceIds(run.open), run.signal);
  const publication = await run.publish();
  try {
    await untilAborted(run.signal);
  } finally {
    await publication[Symbol.asyncDispose]();
  }
}

async function ingestAll(
  { open, view, signal, change, onTerminal, tell, onChange }: Run,
  inputs: readonly string[],
): Promise<IngestReport> {
  using bar = openProgress(onTerminal, tell);
  const started = performance.now();
  const onProgress = (progress: IngestProgress): void => {
    view.progress = { ...progress, seconds: (performance.now() - started) / 1000 };
    bar.show(progress);
    onChange();
  };
  change('ingest-begins');
  const report = await open.work.ingest({ inputs, onProgress, signal });
  const { processed, unchanged, failed, needs_ocr: scans } = report.documents;
  const counts = `${processed} processed, ${unchanged} unchanged, ${failed} failed, ${scans} without text`;
  open.log('info', `ingest ${report.complete ? 'done' : 'stopped'}: ${counts}`);
  change('answering-begins');
  return report;
}

const serviceIds = ({ tree }: OpenJob): string[] => tree.statuses().map(({ id }) => id);

const untilAborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
