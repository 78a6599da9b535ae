/** `run.json` at the beginning of a run and `report.json` at its end, which spans the restarts of its job. */
import { join } from 'node:path';
import { hostname } from 'node:os';
import { z } from 'zod';
import { readIfThere, writeAtomic } from '../disk/atomic.ts';
import { embedderIds } from './encoder.ts';
import { type HistoryEvent, phaseSpans } from './history.ts';
import { withoutUrlTokens } from '../observe/url-tokens.ts';
import type { IngestProgress } from '../work.ts';
import type { Prepared } from './prepare.ts';
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

/** Asked at the end. */
export interface Told {
  readonly history: () => readonly HistoryEvent[];
  readonly status: () => SupervisorStatus;
  readonly ingested: () => Ingested | null;
}

/** A disk that is full takes the records and nothing else. @throws what `work` throws */
export async function reporting<T>(input: ReportInput, told: Told, work: () => Promise<T>): Promise<T> {
  const { folder, now, onError } = input;
  const started = now();
  const write = (name: string, value: unknown): Promise<void> =>
    writeAtomic(join(folder, name), `${JSON.stringify(value, toShow, 2)}\n`).catch(onError);
  await write('run.json', makeRunRecord(input, started));
  try {
    return await work();
  } finally {
    const earlier = await readReport(join(folder, 'report.json')).catch(() => nothingYet);
    const latest = makeRunReport(input, told, { from: started, to: now() });
    await write('report.json', addRun(earlier, latest));
  }
}

/** Records are handed round. */
const toShow = (_: string, value: unknown): unknown =>
  typeof value === 'string' ? withoutUrlTokens(value) : value;

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
type RunReport = z.infer<typeof runSchema>;

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
type Report = z.infer<typeof reportSchema>;

const nothingYet: Report = { seconds: 0, gpu_hours: 0, runs: [] };
const mostRuns = 200;

/** The sums are of all runs, those that are no longer told of as well. Pure. */
export const addRun = (report: Report, run: RunReport): Report => ({
  seconds: report.seconds + run.seconds,
  gpu_hours: report.gpu_hours + run.gpu_hours,
  runs: [...report.runs, run].slice(-mostRuns),
});

/** A report that was cut short, or is another program's, is begun anew. */
async function readReport(path: string): Promise<Report> {
  const text = await readIfThere(path);
  return text === undefined ? nothingYet : reportSchema.parse(JSON.parse(text));
}

export const readRuns = async (path: string): Promise<readonly RunReport[]> => (await readReport(path)).runs;
