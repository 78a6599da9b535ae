/** What the browser draws while the job runs: one tree for everything that the page knows. */
import { clockText, durationText, zoneText } from './amounts.ts';
import { askView } from './ask.ts';
import type { Asking } from './asking.ts';
import { bodyView, footView } from './body.ts';
import type { Connection } from './connection.ts';
import { headView, tone } from './head.ts';
import type { Picture } from './picture.ts';
import { tokenView } from './token.ts';
import { el, type Content, type TreeElement } from './tree.ts';

export interface Shown {
  /** Null: the page has seen nothing of the job yet. */
  readonly picture: Picture | null;
  readonly connection: Connection;
  readonly asking: Asking;
  /** Whether the page hears its reader: not before the browser has taken over what the server has drawn. */
  readonly hears: boolean;
  /** Milliseconds since 1970. */
  readonly now: number;
}

export function dashboardView({ picture, connection, asking, hears, now }: Shown): TreeElement {
  if (connection.state === 'closed') return el('main', { class: 'page' }, tokenView(connection.why, hears));
  if (picture === null)
    return el(
      'main',
      { class: 'page' },
      el('p', { class: 'brand' }, 'rag-allinone'),
      connectionView(connection, null, now),
    );
  return el(
    'main',
    { class: 'page' },
    headView(picture, connectionView(connection, picture, now)),
    askView(asking, picture.asking, hears),
    bodyOf(picture),
    footView(picture),
  );
}

const drawn = new WeakMap<Picture, readonly Content[]>();

/** The same tree for the same picture: while an answer comes word by word the charts are not drawn again. */
function bodyOf(picture: Picture): readonly Content[] {
  const known = drawn.get(picture) ?? bodyView(picture);
  drawn.set(picture, known);
  return known;
}

function connectionView(connection: Connection, picture: Picture | null, now: number): Content {
  if (connection.state === 'connecting')
    return el('p', { class: 'connection', role: 'status' }, tone('busy', 'Connecting …'));
  if (connection.state !== 'lost')
    return el('p', { class: 'connection', role: 'status' }, tone('good', 'Live'));
  const seconds = Math.max(0, (connection.nextAt - now) / 1000);
  const known =
    picture === null
      ? ''
      : ` What is shown is from ${clockText(picture.at, picture.utcOffsetMinutes)} ${zoneText(picture.utcOffsetMinutes)}.`;
  return el(
    'div',
    { class: 'connection lost' },
    el(
      'p',
      { role: 'status' },
      tone('bad', 'Connection lost.'),
      `${known} The job may have ended, or the tunnel to it.`,
    ),
    el(
      'p',
      {},
      el('button', { type: 'button', 'data-act': 'reconnect' }, 'Try now'),
      el(
        'span',
        { class: 'note' },
        seconds < 1 ? ' trying …' : ` again in ${durationText(Math.ceil(seconds))}`,
      ),
    ),
  );
}
