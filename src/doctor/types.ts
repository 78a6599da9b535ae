import type { Environment } from '../config/load.ts';
import type { Settings } from '../config/settings.ts';
import type { Plan } from '../plan/types.ts';
import type { Job } from '../slurm/job.ts';

export type Verdict = 'ok' | 'warning' | 'failure';

/** One line of the examination. A `failure` would end a run, or spoil it; a `warning` may. */
export interface Finding {
  readonly state: Verdict;
  /** What was looked at: a word or two. */
  readonly about: string;
  readonly what: string;
  /** A command that mends it, or the words for what a command cannot do. */
  readonly mend?: string | undefined;
}

/** What is examined: a run as it would start here, now. */
export interface Patient {
  readonly settings: Settings;
  /** As the job's will be: after the setup script. */
  readonly environment: Environment;
  readonly job: Job;
  /** Null when no plan can be made; its own finding says why. */
  readonly plan: Plan | null;
  readonly signal: AbortSignal;
}

/** Changes nothing that lasts. What it throws becomes a failure. */
export type Look = (patient: Patient) => Promise<readonly Finding[]>;

export const ok = (about: string, what: string): Finding => ({ state: 'ok', about, what });
export const warning = (about: string, what: string, mend?: string): Finding => ({
  state: 'warning',
  about,
  what,
  mend,
});
export const failure = (about: string, what: string, mend?: string): Finding => ({
  state: 'failure',
  about,
  what,
  mend,
});

/** Slurm's tools explain an error in several lines, the first of which says it. */
export const firstLine = (text: string): string => text.split('\n', 1)[0] ?? '';
