/** The question box, and below it the answer with its passages. */
import { durationText, millisecondsText, plural } from './amounts.ts';
import { answerParts, type AnswerPart } from './answer.ts';
import type { AnswerShown, Asking, CitationShown, Problem } from './asking.ts';
import type { AskingPicture } from './picture.ts';
import { el, type Content, type TreeElement } from './tree.ts';

export const questionId = 'question';
export const passageId = (n: number): string => `passage-${n}`;
const noteId = 'question-note';

const key = (name: string): TreeElement => el('kbd', {}, name);
const keys: Content = [key('/'), ' to write, ', key('Enter'), ' to ask, ', key('Esc'), ' to stop'];

/** @param hears see `Shown` */
export function askView(asking: Asking, { state, why }: AskingPicture, hears: boolean): TreeElement {
  const isOpen = state === 'open';
  return el(
    'section',
    { class: 'ask', 'aria-labelledby': 'ask' },
    el('h2', { id: 'ask' }, 'Ask the documents'),
    el(
      'form',
      { class: 'question', 'data-act': 'ask' },
      el('label', { for: questionId, class: 'unseen' }, 'Your question'),
      el('textarea', {
        id: questionId,
        rows: 1,
        maxlength: 20_000,
        autocomplete: 'off',
        spellcheck: 'true',
        placeholder: 'Ask a question',
        'aria-describedby': noteId,
        'aria-keyshortcuts': '/',
      }),
      asking.state === 'answering'
        ? el('button', { type: 'button', 'data-act': 'stop' }, 'Stop')
        : el('button', { type: 'submit', disabled: !isOpen || !hears }, 'Ask'),
    ),
    el('p', { class: 'note', id: noteId }, isOpen ? el('span', { class: 'keys' }, keys) : why),
    el(
      'div',
      { class: 'answer', id: 'answer', 'aria-busy': asking.state === 'answering' && 'true' },
      answerView(asking),
    ),
  );
}

function answerView(asking: Asking): Content {
  switch (asking.state) {
    case 'empty':
      return null;
    case 'answering':
      return [
        el('h3', { class: 'asked' }, asking.question),
        el(
          'p',
          { class: 'note' },
          asking.passages === null
            ? 'Searching the passages …'
            : `Answering from ${plural(asking.passages, 'passage')} …`,
        ),
        asking.text !== '' && el('div', { class: 'said' }, asking.text),
      ];
    case 'answered':
      return answeredView(asking.question, asking.record);
    case 'stopped':
      return [
        el('h3', { class: 'asked' }, asking.question),
        asking.text !== '' && el('div', { class: 'said' }, asking.text),
        el(
          'p',
          { class: 'note' },
          'Stopped. What was said is not complete, and its citations are not checked.',
        ),
      ];
    case 'failed':
      return [
        el('h3', { class: 'asked' }, asking.question),
        asking.text !== '' && el('div', { class: 'said' }, asking.text),
        problemView(asking.problem),
      ];
  }
  return null;
}

const titles: Readonly<Record<Problem['kind'], string>> = {
  postponed: 'Not yet',
  busy: 'Too many questions at once',
  lost: 'The answer broke off',
  refused: 'This could not be answered',
};

const problemView = ({ kind, message, hint, seconds }: Problem): TreeElement =>
  el(
    'div',
    { class: 'problem', role: 'alert' },
    el('p', {}, el('strong', {}, titles[kind]), ' ', el('bdi', {}, message)),
    hint !== null && el('p', { class: 'note' }, el('code', {}, hint)),
    el(
      'p',
      {},
      el('button', { type: 'button', 'data-act': 'again' }, 'Ask again'),
      seconds !== null && el('span', { class: 'note' }, ` best in ${durationText(seconds)}`),
    ),
  );

function answeredView(question: string, record: AnswerShown): Content {
  const { citations, sentences, model, timings_ms: timings, reranked, retrieved } = record;
  const known = new Set(citations.map(({ n }) => n));
  const parts = answerParts(record, (n) => known.has(n));
  const doubtful = sentences.filter(({ support }) => support === 'unsupported').length;
  return el(
    'div',
    { class: 'answered' },
    el(
      'div',
      { class: 'words' },
      el('h3', { class: 'asked' }, question),
      el('div', { class: 'said' }, parts.map(partView)),
      doubtful > 0 &&
        el(
          'p',
          { class: 'note doubt' },
          `${plural(doubtful, 'sentence')} underlined: not found in the passage cited.`,
        ),
      el(
        'p',
        { class: 'note' },
        [
          `${model}, ${millisecondsText(timings['total'] ?? 0)}`,
          `${plural(retrieved, 'passage')} read`,
          ...(reranked ? [] : ['not reranked']),
        ].join(' · '),
      ),
    ),
    citations.length > 0 &&
      el(
        'div',
        { class: 'sources' },
        el('h3', {}, 'Passages'),
        el('ol', { class: 'passages' }, citations.map(passageView)),
      ),
  );
}

const partView = (part: AnswerPart): Content =>
  part.kind === 'citation'
    ? el(
        'a',
        {
          class: 'cite',
          href: `#${passageId(part.n)}`,
          'data-act': 'cite',
          'data-n': part.n,
          'aria-label': `passage ${part.n}`,
        },
        `${part.n}`,
      )
    : part.support === 'unsupported'
      ? el('span', { class: 'doubt', title: 'Not found in the passage cited' }, part.text)
      : part.text;

const passageView = ({ n, title, file, page, text }: CitationShown): TreeElement =>
  el(
    'li',
    {},
    el(
      'details',
      { id: passageId(n), class: 'passage' },
      el(
        'summary',
        {},
        el('span', { class: 'cite', 'aria-hidden': 'true' }, `${n}`),
        el(
          'span',
          {},
          el('span', { class: 'unseen' }, `Passage ${n}: `),
          el('bdi', { class: 'title' }, title === '' ? 'Without a title' : title),
          page !== null && el('span', { class: 'where' }, `, page ${page}`),
        ),
      ),
      el('div', { class: 'passage-text', dir: 'auto' }, text),
      el('p', { class: 'note file' }, el('bdi', {}, file)),
    ),
  );
