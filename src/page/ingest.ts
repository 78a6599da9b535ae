/** How far the ingest is, and whether the job's time will do. */
import { countText, durationText, plural, rateText } from './amounts.ts';
import type { IngestPicture, Picture } from './picture.ts';
import { el, type Content, type TreeElement } from './tree.ts';

export function ingestView({ ingest, job }: Picture): Content {
  if (ingest === null) return null;
  const { documentsDone, documentsTotal: total, failed, chunks } = ingest;
  return el(
    'section',
    { 'aria-labelledby': 'ingest' },
    el('h2', { id: 'ingest' }, ingest.running ? 'Ingest' : 'Last ingest'),
    el(
      'div',
      { class: 'figures' },
      figure(
        countText(documentsDone),
        total === null
          ? ingest.running
            ? 'documents so far'
            : 'documents'
          : `of ${plural(total, 'document')}`,
      ),
      figure(countText(chunks), 'chunks embedded'),
      figure(rateText(ingest.documentsPerSecond), 'documents a second'),
      figure(rateText(ingest.chunksPerSecond), 'chunks a second'),
      figure(`≈ ${rateText(ingest.tokensPerSecond)}`, 'tokens a second'),
      figure(countText(failed), 'set aside', failed > 0 ? 'bad' : undefined),
    ),
    (ingest.running || total !== null) &&
      el('progress', {
        'aria-label': 'Documents ingested',
        max: Math.max(1, total ?? 1),
        value: total === null ? undefined : Math.min(documentsDone, Math.max(1, total)),
      }),
    el(
      'p',
      { class: lateness(ingest, job.secondsLeft) === 'late' ? 'note bad' : 'note' },
      etaText(ingest, job.secondsLeft),
    ),
  );
}

export const figure = (value: string, what: string, tone?: 'bad'): TreeElement =>
  el(
    'p',
    { class: tone === undefined ? 'figure' : `figure ${tone}` },
    el('strong', {}, value),
    ' ',
    el('span', {}, what),
  );

const lateness = (
  { etaSeconds }: IngestPicture,
  secondsLeft: number | null,
): 'late' | 'in time' | 'unknown' =>
  etaSeconds === null || secondsLeft === null ? 'unknown' : etaSeconds > secondsLeft ? 'late' : 'in time';

/** Where nobody has counted all that there was, nobody says that it was all. */
function endedText({ documentsDone, documentsTotal, seconds }: IngestPicture): string {
  const took = durationText(seconds);
  if (documentsTotal === null) return `Ended after ${took}.`;
  const left = documentsTotal - documentsDone;
  return left > 0 ? `Stopped after ${took}, with ${plural(left, 'document')} left.` : `Done in ${took}.`;
}

function etaText(ingest: IngestPicture, secondsLeft: number | null): string {
  if (!ingest.running) return endedText(ingest);
  if (ingest.etaSeconds === null) return 'How long it will take is not known yet.';
  const eta = durationText(ingest.etaSeconds);
  if (secondsLeft === null) return `About ${eta} left.`;
  const left = durationText(secondsLeft);
  return lateness(ingest, secondsLeft) === 'late'
    ? `About ${eta} would be needed and the job ends in ${left}: what is left is for the next run.`
    : `About ${eta} left; the job ends in ${left}.`;
}
