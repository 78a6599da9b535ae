/**
 * What people see of a job, as data: the dashboard draws it while the job runs, `report.html` when it has ended. It goes
 * as JSON, so there is nothing in it that JSON cannot carry. Moments are milliseconds since 1970.
 */
export interface Picture {
  readonly at: number;
  /** Of the job's clock, so that a page shows the times that its logs show, wherever it is read. */
  readonly utcOffsetMinutes: number;
  readonly version: string;
  readonly job: JobPicture;
  readonly services: readonly ServicePicture[];
  readonly gpus: readonly GpuPicture[];
  readonly gpuHours: GpuHours;
  /** Null when this job ingests nothing. */
  readonly ingest: IngestPicture | null;
  readonly asking: AskingPicture;
  readonly failures: FailuresPicture;
  /** The job from its first run to this one, in that order. */
  readonly runs: readonly RunPicture[];
  /** Null when the reader has it already. */
  readonly series: SeriesPicture | null;
  /** What the reader shows when it asks again, so that a series goes only when there is a new one. */
  readonly seen: string;
  readonly warnings: readonly string[];
  /** Settings in force, of the last run; none on the dashboard. */
  readonly settings: readonly (readonly [name: string, value: string])[];
}

export interface JobPicture {
  readonly name: string;
  readonly node: string;
  readonly phase: string;
  /** How often it was requeued. */
  readonly restart: number;
  readonly secondsLeft: number | null;
  readonly outcome: OutcomePicture | null;
  readonly retriever: string;
  readonly containment: string;
  readonly network: string;
}

export interface OutcomePicture {
  readonly exit: number;
  readonly reason: string;
}

export interface ServicePicture {
  readonly id: string;
  /** Null: it has none, like the store. */
  readonly model: string | null;
  readonly state: string;
  readonly gpus: readonly string[];
  readonly restarts: number;
  readonly reason: string | null;
  /** When it runs, where that is not the whole job; what it runs on, where it says so. */
  readonly notes: readonly string[];
}

export interface GpuPicture {
  /** The driver's, or as the allocation names it where the driver does not tell. */
  readonly id: string;
  /** As the allocation names it. */
  readonly token: string;
  readonly name: string | null;
  readonly services: readonly string[];
  /** 0 to 1; null where the driver does not tell. */
  readonly use: number | null;
  readonly memoryBytes: number | null;
  readonly memoryTotalBytes: number | null;
  readonly idleHours: number;
}

/** Of all runs. `watched`: of how many of these hours the driver has told the use. */
export interface GpuHours {
  readonly allocated: number;
  readonly watched: number;
  readonly idle: number;
  /** What counts as idle, in words. */
  readonly rule: string;
}

export interface IngestPicture {
  readonly running: boolean;
  readonly documentsDone: number;
  /** Null while nobody knows. */
  readonly documentsTotal: number | null;
  readonly failed: number;
  readonly chunks: number;
  readonly seconds: number;
  readonly documentsPerSecond: number;
  readonly chunksPerSecond: number;
  readonly tokensPerSecond: number;
  readonly etaSeconds: number | null;
}

/** Whether questions are answered, and how that went so far. */
export interface AskingPicture {
  readonly state: 'open' | 'postponed' | 'none';
  /** Why not, or not yet; empty when it is open. */
  readonly why: string;
  /** When to ask again. */
  readonly seconds: number | null;
  readonly questions: LatencyPicture;
  readonly retrievals: LatencyPicture;
}

export interface LatencyPicture {
  readonly count: number;
  /** Null when there was none. */
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
}

export interface FailuresPicture {
  /** Of all that were set aside, listed or not. */
  readonly count: number;
  readonly listed: readonly FailurePicture[];
}

export interface FailurePicture {
  readonly document: string;
  readonly state: 'failed' | 'needs_ocr';
  readonly reason: string;
}

/** One life of the job, from its start to its end or its death. */
export interface RunPicture {
  readonly run: string;
  readonly restart: number;
  readonly node: string;
  readonly from: number;
  readonly to: number;
  /** Null: it goes on, or it ended without a word. */
  readonly outcome: OutcomePicture | null;
  readonly phases: readonly SpanPicture[];
  readonly services: readonly ServiceLife[];
}

export interface ServiceLife {
  readonly id: string;
  readonly gpus: readonly string[];
  readonly restarts: number;
  readonly spans: readonly SpanPicture[];
}

/** A phase of a run, or a state of a service. */
export interface SpanPicture {
  readonly what: string;
  readonly from: number;
  readonly to: number;
  readonly reason: string | null;
}

/**
 * What was measured over time, as columns of one length: the n-th entries are of the interval that begins at `from[n]`
 * and is `stepSeconds` long. Null: not known.
 */
export interface SeriesPicture {
  readonly stepSeconds: number;
  readonly from: readonly number[];
  readonly chunksPerSecond: readonly number[];
  readonly questionsPerMinute: readonly number[];
  readonly questionP50Ms: readonly (number | null)[];
  readonly questionP95Ms: readonly (number | null)[];
  readonly retrievalsPerSecond: readonly number[];
  readonly retrievalP50Ms: readonly (number | null)[];
  readonly retrievalP95Ms: readonly (number | null)[];
  /** Requests that the model servers had and had not finished. */
  readonly queue: readonly number[];
  readonly gpus: readonly GpuSeries[];
}

export interface GpuSeries {
  readonly id: string;
  readonly name: string | null;
  readonly memoryTotalBytes: number | null;
  /** 0 to 1. */
  readonly use: readonly (number | null)[];
  readonly memoryBytes: readonly (number | null)[];
}
