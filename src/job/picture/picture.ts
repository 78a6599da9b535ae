/** Makes the picture of a job from what is known of it. Pure. */
import type { Settings } from '../../config/settings.ts';
import { withoutUrlTokens } from '../../observe/url-tokens.ts';
import type { AskingPicture, GpuPicture, LatencyPicture, Picture, RunPicture } from '../../page/picture.ts';
import type { Plan } from '../../plan/types.ts';
import type { Postponed } from '../../serve/postponed.ts';
import type { Job } from '../../slurm/job.ts';
import { deviceText } from '../services/device.ts';
import { etaSeconds } from '../../observe/pace.ts';
import { whenText } from '../life/layouts.ts';
import type { StatusInput, SupervisorStatus } from '../shown/status.ts';
import { seriesPicture } from './columns.ts';
import type { Counts } from './deeds.ts';
import type { GpuNow } from './gpu-watch.ts';
import { idleRule } from './idle.ts';
import { countOf, latencyAt, type Latencies } from './latencies.ts';
import type { Past } from './past.ts';

export interface PictureInput {
  readonly at: number;
  readonly version: string;
  readonly job: Pick<Job, 'restart'>;
  readonly plan: Pick<Plan, 'gpus' | 'instances'>;
  readonly status: SupervisorStatus;
  readonly ingested: StatusInput['progress'];
  readonly postponed: Postponed | undefined;
  readonly counts: Counts;
  readonly past: Past;
  readonly gpus: readonly GpuNow[];
  /** All lives of the job, this one last. */
  readonly runs: readonly RunPicture[];
  /** Of all runs. */
  readonly gpuHours: number;
  /** Shown by the report alone. */
  readonly settings?: Settings;
  /** What the reader has seen last. */
  readonly seen?: string;
}

export function makePicture(input: PictureInput): Picture {
  const { at, version, job, status, past, runs, plan } = input;
  const usages = Object.values(past.gpus).map(({ usage }) => usage);
  const hours = (seconds: readonly number[]): number => seconds.reduce((sum, each) => sum + each, 0) / 3600;
  const last = past.series.points.at(-1);
  // In a long job a point takes minutes to be whole: it is news twice a minute.
  const news = Math.floor((last?.seconds ?? 0) / 30);
  const seen = `${runs.at(-1)?.run}/${last?.at ?? 0}/${news}/${past.series.stepMs}`;
  return {
    at,
    utcOffsetMinutes: 0 - new Date(at).getTimezoneOffset(),
    version,
    job: {
      name: status.job,
      node: status.node,
      phase: status.phase,
      restart: job.restart,
      secondsLeft: status.time_left_s,
      outcome: status.outcome,
      retriever: status.retriever,
      containment: status.containment,
      network: status.network,
    },
    services: status.services.map(({ id, state, gpus, restarts, reason, layout, device }) => ({
      id,
      model: plan.instances.find((instance) => instance.id === id)?.model ?? null,
      state,
      gpus,
      restarts,
      reason,
      notes: [
        ...(layout === null ? [] : [whenText({ layout }).replace(/^, /, '')]),
        ...(device === null ? [] : [deviceText(device)]),
      ],
    })),
    gpus: plan.gpus.map((token) => gpuPicture(token, input)),
    gpuHours: {
      allocated: input.gpuHours,
      watched: hours(usages.map(({ watchedSeconds }) => watchedSeconds)),
      idle: hours(usages.map(({ idleSeconds }) => idleSeconds)),
      rule: idleRule,
    },
    ingest: ingestPicture(input),
    asking: askingPicture(input),
    failures: {
      count: past.setAside.listed.size + past.setAside.more,
      listed: [...past.setAside.listed.values()],
    },
    runs,
    series: input.seen === seen ? null : seriesPicture(past),
    seen,
    warnings: status.warnings,
    settings: Object.entries(input.settings ?? {}).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, shown(value)] as const],
    ),
  };
}

/** Records are handed round. */
const shown = (value: unknown): string =>
  withoutUrlTokens(typeof value === 'string' ? value : JSON.stringify(value));

function gpuPicture(token: string, { gpus, past, plan }: PictureInput): GpuPicture {
  const now = gpus.find((gpu) => gpu.token === token);
  return {
    id: now?.uuid ?? token,
    token,
    name: now?.name ?? null,
    services: plan.instances.filter((instance) => instance.gpus.includes(token)).map(({ id }) => id),
    use: now?.use ?? null,
    memoryBytes: now?.memoryBytes ?? null,
    memoryTotalBytes: now?.memoryTotalBytes ?? null,
    idleHours: (past.gpus[now?.uuid ?? token]?.usage.idleSeconds ?? 0) / 3600,
  };
}

function ingestPicture({ ingested, status }: PictureInput): Picture['ingest'] {
  if (ingested === null) return null;
  const { documentsDone, documentsTotal, failed, embedded, tokens, seconds } = ingested;
  const perSecond = (count: number): number => count / Math.max(seconds, 0.001);
  const running = status.phase === 'ingest';
  return {
    running,
    documentsDone,
    documentsTotal,
    failed,
    chunks: embedded,
    seconds,
    documentsPerSecond: perSecond(documentsDone),
    chunksPerSecond: perSecond(embedded),
    tokensPerSecond: perSecond(tokens),
    etaSeconds: running ? etaSeconds(ingested, seconds) : null,
  };
}

function askingPicture({ postponed, plan, counts, status }: PictureInput): AskingPicture {
  const sofar = {
    questions: latencyPicture(counts.questions),
    retrievals: latencyPicture(counts.retrievals),
  };
  const none = { state: 'none', seconds: null, ...sofar } as const;
  if (!plan.instances.some(({ role }) => role === 'generate'))
    return { ...none, why: 'This job has no generator: it ingests and retrieves, and answers no questions.' };
  if (status.phase === 'draining' || status.phase === 'ended')
    return { ...none, why: 'The job is ending: it takes no more questions.' };
  if (postponed !== undefined)
    return { state: 'postponed', why: postponed.message, seconds: postponed.seconds, ...sofar };
  return { state: 'open', why: '', seconds: null, ...sofar };
}

const latencyPicture = (latencies: Latencies): LatencyPicture => ({
  count: countOf(latencies),
  p50Ms: latencyAt(latencies, 0.5),
  p95Ms: latencyAt(latencies, 0.95),
});
