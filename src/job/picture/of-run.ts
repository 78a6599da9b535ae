/** The picture of a run's job at this moment. */
import type { Picture, RunPicture } from '../../page/picture.ts';
import type { Postponed } from '../../serve/postponed.ts';
import type { Report, ReportInput, RunReport, Told } from '../shown/report.ts';
import { makePicture } from './picture.ts';
import { runPicture } from './runs.ts';

export interface Asked extends Pick<ReportInput, 'prepared' | 'version' | 'now'> {
  readonly told: Pick<Told, 'status' | 'ingested' | 'samples'>;
  /** What the job's report says up to now. */
  readonly report: Report;
  readonly postponed?: Postponed | undefined;
  readonly seen?: string | undefined;
}

/** On the dashboard; it is sent every two seconds. */
const mostRuns = 20;

/** Those that are over do not change. */
const known = new WeakMap<object, RunPicture | undefined>();

function drawn(run: RunReport): RunPicture | undefined {
  if (!known.has(run)) known.set(run, runPicture(run));
  return known.get(run);
}

/** @param asked without `seen` it is whole, and has the settings */
export function pictureOfRun({ prepared, version, now, told, report, postponed, seen }: Asked): Picture {
  const { samples } = told;
  return makePicture({
    at: now().getTime(),
    version,
    job: prepared.job,
    plan: prepared.plan,
    status: told.status(),
    ingested: told.ingested(),
    postponed,
    counts: samples.counts(),
    past: samples.past(),
    gpus: samples.gpus(),
    runs: (seen === undefined ? report.runs : report.runs.slice(-mostRuns))
      .map(drawn)
      .filter((run) => run !== undefined),
    gpuHours: report.gpu_hours,
    ...(seen === undefined ? { settings: prepared.settings } : { seen }),
  });
}
