/** How fast an ingest goes and how long it will take. Pure. */
import type { IngestProgress } from '../work.ts';

/** By the mean speed so far; null while there is nothing to judge by. */
export function etaSeconds(
  { documentsDone, documentsTotal }: Pick<IngestProgress, 'documentsDone' | 'documentsTotal'>,
  seconds: number,
): number | null {
  if (documentsTotal === null || documentsDone === 0) return null;
  return Math.round((Math.max(0, documentsTotal - documentsDone) * seconds) / documentsDone);
}

/** Since the start: documents are told of when they are committed, some hundreds at once. */
export function speedText(
  { documentsDone, embedded, tokens }: Pick<IngestProgress, 'documentsDone' | 'embedded' | 'tokens'>,
  seconds: number,
): string {
  const perSecond = (count: number): string => {
    const speed = count / Math.max(seconds, 0.001);
    return speed < 100 ? speed.toFixed(1) : Math.round(speed).toLocaleString('en');
  };
  return `${perSecond(documentsDone)} documents/s, ${perSecond(embedded)} chunks/s, about ${perSecond(tokens)} tokens/s`;
}

/** Two numbers at most, as people say it: 47 s, 12 min, 3 h 20 min, 2 d 4 h; as the page has it (page/amounts). */
export function durationText(seconds: number): string {
  if (seconds < 90) return `${Math.max(0, Math.round(seconds))} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 90) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  return hours % 24 === 0 ? `${hours / 24} d` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** A first minute says little: models warm up, and what is unchanged is passed over fast. */
const leastSeconds = 60;

/** What to say when the job will end before the ingest does; undefined when it will not, or nobody knows. */
export function lateText(
  progress: IngestProgress,
  seconds: number,
  timeLeftSeconds: number | null,
): string | undefined {
  const eta = etaSeconds(progress, seconds);
  if (eta === null || timeLeftSeconds === null || seconds < leastSeconds || eta <= timeLeftSeconds)
    return undefined;
  return `the ingest needs about ${durationText(eta)} more and the job ends in ${durationText(timeLeftSeconds)}: what is left is for the next run, submit it again`;
}
