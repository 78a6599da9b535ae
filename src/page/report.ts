/** `report.html`: what the dashboard shows, of the whole job, and by what it was made. */
import { bodyView, footView } from './body.ts';
import { clockText, countText, durationText, momentText, zoneText } from './amounts.ts';
import { fileDocument } from './document.ts';
import { headView } from './head.ts';
import type { Picture } from './picture.ts';
import { el, type Content, type TreeElement } from './tree.ts';
import { phaseWords } from './words.ts';

export const reportDocument = (picture: Picture, style: string, policy: string): string =>
  fileDocument(`Job ${picture.job.name} · report`, reportView(picture), style, policy);

const reportView = (picture: Picture): TreeElement =>
  el(
    'main',
    { class: 'page report' },
    headView(
      picture,
      el(
        'p',
        { class: 'connection' },
        `Report of ${momentText(picture.at, picture.utcOffsetMinutes)} ${zoneText(picture.utcOffsetMinutes)}`,
      ),
    ),
    bodyView(picture),
    runsView(picture),
    modelsView(picture),
    settingsView(picture),
    footView(picture),
  );

const runsView = ({ runs, utcOffsetMinutes }: Picture): TreeElement =>
  el(
    'section',
    { 'aria-labelledby': 'runs' },
    el('h2', { id: 'runs' }, runs.length === 1 ? 'The run' : `${countText(runs.length)} runs`),
    el(
      'table',
      { class: 'runs', 'aria-labelledby': 'runs' },
      el(
        'thead',
        {},
        el(
          'tr',
          {},
          ['Began', 'Node', 'Took', 'Phases', 'Ended'].map((name) => el('th', { scope: 'col' }, name)),
        ),
      ),
      el(
        'tbody',
        {},
        runs.map(({ from, to, node, phases, outcome, restart }) =>
          el(
            'tr',
            {},
            el(
              'th',
              { scope: 'row' },
              `${momentText(from, utcOffsetMinutes)}:${clockText(from, utcOffsetMinutes).slice(-2)}`,
              restart > 0 && el('span', { class: 'under' }, `requeued ${countText(restart)}`),
            ),
            el('td', {}, node),
            el('td', { class: 'number' }, durationText((to - from) / 1000)),
            el(
              'td',
              {},
              phases
                .map((span) => `${phaseWords(span.what)[0]} ${durationText((span.to - span.from) / 1000)}`)
                .join(', '),
            ),
            el(
              'td',
              {},
              outcome === null ? 'without a word' : el('bdi', {}, `${outcome.exit}: ${outcome.reason}`),
            ),
          ),
        ),
      ),
    ),
  );

const modelsView = ({ services, version, job }: Picture): Content =>
  el(
    'section',
    { 'aria-labelledby': 'versions' },
    el('h2', { id: 'versions' }, 'Made by'),
    el(
      'dl',
      { class: 'pairs' },
      pair('rag-allinone', version),
      pair('Retriever', job.retriever),
      services.filter(({ model }) => model !== null).map(({ id, model }) => pair(id, model ?? '')),
    ),
    el(
      'p',
      { class: 'note' },
      'run.json beside this file has the plan, the Slurm ids and the versions for programs.',
    ),
  );

const settingsView = ({ settings }: Picture): Content =>
  settings.length > 0 &&
  el(
    'section',
    { 'aria-labelledby': 'settings' },
    el('h2', { id: 'settings' }, 'Settings'),
    el(
      'details',
      {},
      el('summary', {}, `All ${countText(settings.length)} in force`),
      el(
        'dl',
        { class: 'pairs' },
        settings.map(([name, value]) => pair(name, value)),
      ),
    ),
  );

const pair = (name: string, value: string): Content => [
  el('dt', {}, name),
  el('dd', {}, el('bdi', {}, value)),
];
