/** For who is not the owner on this machine: asks for the token, which stays in this tab. */
import type { Connection } from './connection.ts';
import { el, type TreeElement } from './tree.ts';

export const tokenId = 'token';

const said: Readonly<Record<Extract<Connection, { state: 'closed' }>['why'], string>> = {
  'no-token':
    'This page belongs to the owner of a job. Over a tunnel of your own it opens by itself; from elsewhere it wants the token of the service.',
  'wrong-token': 'That token opens nothing here. A service that was started again has a new one.',
  'url-token':
    'That is the token for addresses, which opens models and retrieval only. The one in token_file is wanted.',
};

/** @param hears see `Shown` */
export const tokenView = (
  why: Extract<Connection, { state: 'closed' }>['why'],
  hears: boolean,
): TreeElement =>
  el(
    'section',
    { class: 'token', 'aria-labelledby': 'token-title', 'data-why': why },
    el('p', { class: 'brand' }, 'rag-allinone'),
    el('h1', { id: 'token-title' }, 'A token is wanted'),
    el(
      'p',
      { class: why === 'no-token' ? 'note' : 'note bad', role: why === 'no-token' ? undefined : 'alert' },
      said[why],
    ),
    el(
      'form',
      { 'data-act': 'token' },
      el('label', { for: tokenId }, 'Token'),
      el('input', {
        id: tokenId,
        type: 'password',
        autocomplete: 'off',
        spellcheck: 'false',
        maxlength: 200,
      }),
      el('button', { type: 'submit', disabled: !hears }, 'Open'),
    ),
    el(
      'p',
      { class: 'note' },
      'Read it with ',
      el('code', {}, 'cat TOKEN_FILE'),
      '; ',
      el('code', {}, 'token_file'),
      ' stands in ',
      el('code', {}, 'ollama_service.json'),
      '. It is kept in this tab and nowhere else.',
    ),
  );
