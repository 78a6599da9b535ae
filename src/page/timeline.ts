/** The phases of a job and the lives of its services, one below the other, on one axis. */
import { clockText, durationText, momentText, plural } from './amounts.ts';
import { timeAxis } from './chart.ts';
import type { Picture, SpanPicture } from './picture.ts';
import { chartWidth, type TimeScale } from './scale.ts';
import { el, type Content, type TreeElement } from './tree.ts';
import { phaseWords, stateWords, type Tone } from './words.ts';

export function timelineView(picture: Picture, scale: TimeScale): Content {
  const { runs } = picture;
  if (runs.length === 0) return null;
  const ids = [...new Set(runs.flatMap(({ services }) => services.map(({ id }) => id)))];
  const spansOf = (id: string): SpanPicture[] =>
    runs.flatMap(({ services }) =>
      services.filter((service) => service.id === id).flatMap(({ spans }) => spans),
    );
  const phases = runs.flatMap((run) => run.phases);
  return el(
    'section',
    { 'aria-labelledby': 'timeline' },
    el('h2', { id: 'timeline' }, 'Timeline'),
    el(
      'ul',
      { class: 'timeline' },
      lane('phases', phases, scale, phaseOnLane),
      ids.map((id) => lane(id, spansOf(id), scale, stateWords)),
    ),
    timeAxis({ scale }, picture),
    el(
      'p',
      { class: 'legend', 'aria-hidden': 'true' },
      [
        ['good', 'ready, answering'],
        ['busy', 'ingesting'],
        ['bad', 'down'],
        ['still', 'not ready'],
      ].map(([looks, words]) => el('span', { class: `key box ${looks}` }, words)),
    ),
    eventsView(picture),
  );
}

function lane(
  name: string,
  spans: readonly SpanPicture[],
  scale: TimeScale,
  wordsOf: (what: string) => readonly [string, Tone],
): TreeElement {
  const said = spans.map(
    ({ what, from, to }) => `${wordsOf(what)[0]} for ${durationText((to - from) / 1000)}`,
  );
  return el(
    'li',
    {},
    el('span', { class: 'lane' }, name),
    el(
      'svg',
      {
        role: 'img',
        'aria-label': `${name}: ${said.slice(-12).join(', ')}`,
        viewBox: `0 0 ${chartWidth} 10`,
        preserveAspectRatio: 'none',
        class: 'lane-drawing',
      },
      spans.flatMap(({ what, from, to }) => {
        const place = scale.place(from, to);
        if (place === null) return [];
        return el('rect', {
          class: `span ${wordsOf(what)[1]}`,
          x: Math.round(place.left * 10) / 10,
          // Nothing is so short that it is not seen.
          width: Math.max(2, Math.round((place.right - place.left) * 10) / 10),
          y: 0,
          height: 10,
        });
      }),
    ),
  );
}

/** There only what the job is for has a colour: it neither ingests nor answers while it starts, changes over or stops. */
function phaseOnLane(phase: string): readonly [string, Tone] {
  const [words] = phaseWords(phase);
  return [words, phase === 'ingest' ? 'busy' : phase === 'answering' ? 'good' : 'still'];
}

const mostEvents = 100;

/** What the drawing says in colours, in words: when something went down, and why. */
function eventsView({ runs, utcOffsetMinutes }: Picture): Content {
  const events = runs
    .flatMap(({ services }) =>
      services.flatMap(({ id, spans }) =>
        spans.filter(({ reason }) => reason !== null).map((span) => ({ id, ...span })),
      ),
    )
    .toSorted((a, b) => b.from - a.from);
  if (events.length === 0) return null;
  return el(
    'details',
    { class: 'events' },
    el('summary', {}, plural(events.length, 'restart or failure', 'restarts and failures')),
    el(
      'ol',
      {},
      events
        .slice(0, mostEvents)
        .map(({ id, what, from, reason }) =>
          el(
            'li',
            {},
            el(
              'time',
              { datetime: new Date(from).toISOString(), title: momentText(from, utcOffsetMinutes) },
              clockText(from, utcOffsetMinutes),
            ),
            ' ',
            el('strong', {}, id),
            ` ${stateWords(what)[0]}: `,
            el('bdi', {}, reason),
          ),
        ),
    ),
    events.length > mostEvents &&
      el('p', { class: 'note' }, `and ${events.length - mostEvents} earlier ones`),
  );
}
