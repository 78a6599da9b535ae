/** `run.json` at the beginning of a run, `report.json` and `report.html` at its end, which span the restarts of its job. */
import { join } from 'node:path';
import { hostname } from 'node:os';
import { z } from 'zod';
import { readIfThere, writeAtomic } from '../../disk/atomic.ts';
import { embedderIds } from '../models/encoder.ts';
import { type HistoryEvent, phaseSpans } from '../life/history.ts';
import { withoutUrlTokens } from '../../observe/url-tokens.ts';
import type { IngestProgress } from '../../work.ts';
import { pictureOfRun } from '../picture/of-run.ts';
import { makeReportPage } from '../picture/report-page.ts';
import type { Past } from '../picture/past.ts';
import type { Samples } from '../picture/samples.ts';
import type { Prepared } from '../prepare/prepare.ts';
import type { SupervisorStatus } from './status.ts';

export interface ReportInput {
  readonly prepared: Pick<Prepared, 'settings' | 'job' | 'plan' | 'intent' | 'environment'>;
  /** Names this run among those of the job. */
  readonly run: string;
  readonly version: string;
  /** The job's log folder. */
  readonly folder: string;
  readonly now: () => Date;
  readonly onError: (error: unknown) => void;
}

/** How far an ingest came, and in how many seconds. */
type Ingested = IngestProgress & { readonly seconds: number };

/** Asked again and again. */
export interface Told {
  readonly history: () => readonly HistoryEvent[];
  readonly status: () => SupervisorStatus;
  readonly ingested: () => Ingested | null;
  readonly samples: Pick<Samples, 'past' | 'counts' | 'gpus'>;
}

/** A run that is killed has told all but its last two minutes. */
const writeEveryMs = 120_000;

/**
 * A disk that is full takes the records and nothing else.
 *
 * @param work gets what the job's report says up to now
 * @throws what `work` throws
 */
export async function reporting<T>(
  input: ReportInput,
  told: Told,
  work: (report: () => Report) => Promise<T>,
): Promise<T> {
  const { folder, now, onError } = input;
  const started = now();
  const write = (name: string, text: () => string): Promise<void> =>
    writeWhole(join(folder, name), text).catch(onError);
  const read = (): Promise<Report> => readReport(join(folder, 'report.json')).catch(() => nothingYet);
  const latest = (): RunReport => makeRunReport(input, told, { from: started, to: now() });
  await write('run.json', () => asJson(makeRunRecord(input, started)));
  const earlier = await read();
  const report = (): Report => addRun(earlier, latest());
  // Read anew each time: another supervisor of the job may have written there.
  const writeNow = async (): Promise<void> => {
    const others = await read();
    const text = (): string => asJson({ ...ofWholeJob(told.samples.past()), ...addRun(others, latest()) });
    await write('report.json', text);
  };
  let writing = Promise.resolve();
  const writeReport = (): Promise<void> => (writing = writing.then(writeNow));
  const keeping = setInterval(() => void writeReport(), writeEveryMs).unref();
  try {
    return await work(report);
  } finally {
    clearInterval(keeping);
    await writeReport();
    await write('report.html', () =>
      makeReportPage(asShown(pictureOfRun({ ...input, told, report: report() }))),
    );
  }
}

/** Making it counts as writing it: no record is worth a run. */
async function writeWhole(path: string, text: () => string): Promise<void> {
  await writeAtomic(path, text());
}

const asJson = (value: unknown): string => `${JSON.stringify(value, toShow, 2)}\n`;

/** Records are handed round. */
const toShow = (_: string, value: unknown): unknown =>
  typeof value === 'string' ? withoutUrlTokens(value) : value;

const asShown = <T>(value: T): T => JSON.parse(JSON.stringify(value, toShow)) as T;

/** By what the run was made, so that another can make it again. */
function makeRunRecord({ prepared, run, version }: ReportInput, started: Date): Record<string, unknown> {
  const { settings, job, plan, intent, environment } = prepared;
  const slurm = Object.entries(environment).filter(([name]) => name.startsWith('SLURM_'));
  return {
    run,
    program: { version, node: process.versions.node },
    started_at: started.toISOString(),
    host: hostname(),
    job,
    intent,
    settings,
    plan,
    slurm: Object.fromEntries(slurm),
  };
}

const ingestSchema = z.object({
  chunks: z.number(),
  embedded: z.number(),
  tokens: z.number(),
  seconds: z.number(),
  model: z.string().nullable(),
  servers: z.number(),
});
export type IngestRecord = z.infer<typeof ingestSchema>;

const runSchema = z.looseObject({
  run: z.string(),
  seconds: z.number(),
  gpu_hours: z.number(),
  ingest: ingestSchema.nullish(),
});
export type RunReport = z.infer<typeof runSchema>;

function makeRunReport(
  { prepared: { job, plan }, run }: ReportInput,
  { history, status, ingested }: Told,
  { from, to }: { readonly from: Date; readonly to: Date },
): RunReport {
  const seconds = (to.getTime() - from.getTime()) / 1000;
  const { services, outcome, progress } = status();
  return {
    run,
    restart: job.restart,
    node: job.node,
    started_at: from.toISOString(),
    ended_at: to.toISOString(),
    seconds,
    gpus: plan.gpus.length,
    gpu_hours: (plan.gpus.length * seconds) / 3600,
    outcome,
    progress,
    ingest: ingestOf(ingested(), plan),
    phases: phaseSpans(history(), to),
    services: services.map(({ id, gpus, restarts, reason }) => ({ id, gpus, restarts, reason })),
    events: history().filter((event) => event.what === 'service'),
  };
}

/** What stands in the report beside its runs: of all of them, by the UUID of a GPU, by the key of a document. */
const ofWholeJob = ({ gpus, setAside }: Past): Record<string, unknown> => ({
  gpus: Object.fromEntries(
    Object.entries(gpus).map(([id, { name, usage }]) => [
      id,
      { name, watched_hours: usage.watchedSeconds / 3600, idle_hours: usage.idleSeconds / 3600 },
    ]),
  ),
  set_aside: [...setAside.listed.values()],
  set_aside_more: setAside.more,
});

const ingestOf = (ingested: Ingested | null, plan: Prepared['plan']): IngestRecord | null =>
  ingested && {
    chunks: ingested.chunks,
    embedded: ingested.embedded,
    tokens: ingested.tokens,
    seconds: ingested.seconds,
    model: plan.instances.find(({ role }) => role === 'embed')?.model ?? null,
    servers: embedderIds(plan).length,
  };

const reportSchema = z.object({ seconds: z.number(), gpu_hours: z.number(), runs: z.array(runSchema) });
export type Report = z.infer<typeof reportSchema>;

const nothingYet: Report = { seconds: 0, gpu_hours: 0, runs: [] };
const mostRuns = 200;

/** The sums are of all runs, those that are no longer told of as well. What the report says of this run already goes. Pure. */
export function addRun(report: Report, run: RunReport): Report {
  const { seconds, gpu_hours } = report.runs.find((each) => each.run === run.run) ?? {
    seconds: 0,
    gpu_hours: 0,
  };
  return {
    seconds: report.seconds - seconds + run.seconds,
    gpu_hours: report.gpu_hours - gpu_hours + run.gpu_hours,
    runs: [...report.runs.filter((each) => each.run !== run.run), run].slice(-mostRuns),
  };
}

/** A report that was cut short, or is another program's, is begun anew. */
async function readReport(path: string): Promise<Report> {
  const text = await readIfThere(path);
  return text === undefined ? nothingYet : reportSchema.parse(JSON.parse(text));
}

export const readRuns = async (path: string): Promise<readonly RunReport[]> => (await readReport(path)).runs;
