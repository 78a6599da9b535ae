/** What runs, where, and how often it had to be started again. */
import { countText } from './amounts.ts';
import { tone } from './head.ts';
import type { Picture, ServicePicture } from './picture.ts';
import { el, type TreeElement } from './tree.ts';
import { stateWords } from './words.ts';

export const servicesView = ({ services }: Picture): TreeElement =>
  el(
    'section',
    { 'aria-labelledby': 'services' },
    el('h2', { id: 'services' }, 'Services'),
    el(
      'table',
      { class: 'services', 'aria-labelledby': 'services' },
      el(
        'thead',
        {},
        el(
          'tr',
          {},
          ['Service', 'State', 'GPUs', 'Restarts'].map((name) => el('th', { scope: 'col' }, name)),
        ),
      ),
      el('tbody', {}, services.map(row)),
    ),
  );

function row({ id, model, state, gpus, restarts, reason, notes }: ServicePicture): TreeElement {
  const [words, looks] = stateWords(state);
  return el(
    'tr',
    {},
    el(
      'th',
      { scope: 'row' },
      id,
      model !== null && el('span', { class: 'under' }, model),
      notes.map((note) => el('span', { class: 'under' }, note)),
    ),
    el('td', {}, tone(looks, words)),
    el('td', { class: 'number' }, gpus.length === 0 ? '–' : gpus.join(', ')),
    el(
      'td',
      {},
      el('span', { class: 'number' }, countText(restarts)),
      reason !== null && el('span', { class: 'under reason' }, el('bdi', {}, reason)),
    ),
  );
}
