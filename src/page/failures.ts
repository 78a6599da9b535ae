/** The documents that were set aside, by the reason. */
import { countText, plural } from './amounts.ts';
import type { FailurePicture, Picture } from './picture.ts';
import { el, type Content, type TreeElement } from './tree.ts';

export function failuresView({ failures, ingest }: Picture): Content {
  if (failures.count === 0 && ingest === null) return null;
  const reasons = [...Map.groupBy(failures.listed, reasonOf)].toSorted(
    ([, one], [, other]) => other.length - one.length,
  );
  const more = failures.count - failures.listed.length;
  return el(
    'section',
    { 'aria-labelledby': 'failures' },
    el('h2', { id: 'failures' }, 'Documents set aside'),
    failures.count === 0
      ? el('p', { class: 'note' }, 'None.')
      : el(
          'p',
          { class: 'note' },
          `${plural(failures.count, 'document')} could not be read. The rest is searched without them; every run tries them again.`,
        ),
    reasons.map(([reason, documents]) => reasonView(reason, documents)),
    more > 0 && el('p', { class: 'note' }, `${countText(more)} more are in the index and not listed here.`),
  );
}

const reasonOf = ({ state, reason }: FailurePicture): string =>
  state === 'needs_ocr'
    ? `Pages without text, a parser that reads pictures is wanted (RAG_PARSER): ${reason}`
    : reason;

/** A few stand open; a hundred are there for who wants them. */
const openUpTo = 5;

const reasonView = (reason: string, documents: readonly FailurePicture[]): TreeElement =>
  el(
    'details',
    { class: 'reason-group', open: documents.length <= openUpTo },
    el('summary', {}, el('bdi', {}, reason), el('span', { class: 'count' }, countText(documents.length))),
    el(
      'ul',
      {},
      documents.map(({ document }) => el('li', {}, el('bdi', {}, document))),
    ),
  );
