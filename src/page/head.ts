/** Which job this is, what it does, and how long it may. */
import { durationText, plural } from './amounts.ts';
import type { Picture } from './picture.ts';
import { el, type Content, type TreeElement } from './tree.ts';
import { phaseWords, type Tone } from './words.ts';

export const tone = (which: Tone, ...words: readonly Content[]): TreeElement =>
  el('span', { class: `tone ${which}` }, el('span', { class: 'dot', 'aria-hidden': 'true' }), ...words);

export const headView = ({ job, runs }: Picture, connection: Content): TreeElement =>
  el(
    'header',
    { class: 'head' },
    el('p', { class: 'brand' }, 'rag-allinone'),
    el('h1', {}, `Job ${job.name}`, el('span', { class: 'where' }, ` on ${job.node}`)),
    el(
      'p',
      { class: 'facts' },
      job.outcome === null
        ? tone(phaseWords(job.phase)[1], phaseWords(job.phase)[0])
        : tone(
            job.outcome.exit === 0 ? 'good' : 'bad',
            `Ended with ${job.outcome.exit}: ${job.outcome.reason}`,
          ),
      job.outcome === null &&
        job.secondsLeft !== null &&
        el('span', {}, `${durationText(job.secondsLeft)} of the job left`),
      el('span', {}, `${runTime(runs)} in ${plural(runs.length, 'run')}`),
    ),
    connection,
  );

function runTime(runs: Picture['runs']): string {
  const seconds = runs.reduce((sum, { from, to }) => sum + (to - from) / 1000, 0);
  return durationText(seconds);
}

/** What a person should know before anything else. */
export const warningsView = ({ warnings }: Picture): Content =>
  warnings.length > 0 &&
  el(
    'section',
    { class: 'warnings', 'aria-label': 'Warnings' },
    el(
      'ul',
      {},
      warnings.map((warning) => el('li', {}, warning)),
    ),
  );
