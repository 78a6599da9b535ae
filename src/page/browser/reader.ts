/** What the reader does with mouse and keys, as words of the page. */
import { passageId, questionId } from '../ask.ts';
import { tokenId } from '../token.ts';

export interface Acts {
  readonly ask: (question: string) => void;
  readonly again: () => void;
  /** False when there was nothing to stop. */
  readonly stop: () => boolean;
  readonly reconnect: () => void;
  readonly token: (token: string) => void;
}

export function listen(page: Document, acts: Acts): void {
  page.addEventListener('submit', (event) => {
    event.preventDefault();
    const act = actOf(event.target);
    if (act === 'ask') submitQuestion(page, acts);
    if (act === 'token') submitToken(page, acts);
  });
  page.addEventListener('click', (event) => {
    const target = event.target instanceof Element ? event.target.closest('[data-act]') : null;
    const act = actOf(target);
    if (act === 'again') acts.again();
    if (act === 'reconnect') acts.reconnect();
    if (act === 'stop') {
      acts.stop();
      question(page)?.focus();
    }
    if (target === null || act !== 'cite') return;
    event.preventDefault();
    showPassage(page, Number(target.getAttribute('data-n')), target);
  });
  page.addEventListener('keydown', (event) => {
    if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    const writes = event.target instanceof HTMLTextAreaElement || event.target instanceof HTMLInputElement;
    if (event.key === 'Enter' && !event.shiftKey && event.target instanceof HTMLTextAreaElement) {
      event.preventDefault();
      submitQuestion(page, acts);
    } else if (event.key === '/' && !writes) {
      const box = question(page);
      if (box === null) return;
      event.preventDefault();
      box.focus();
      box.select();
    } else if (event.key === 'Escape') leave(page, acts);
  });
}

const actOf = (target: EventTarget | null): string | null =>
  target instanceof Element ? target.getAttribute('data-act') : null;

const question = (page: Document): HTMLTextAreaElement | null =>
  page.querySelector<HTMLTextAreaElement>(`#${questionId}`);

function submitQuestion(page: Document, { ask }: Acts): void {
  const mayAsk = page.querySelector<HTMLButtonElement>('.question button[type=submit]')?.disabled === false;
  const words = question(page)?.value.trim() ?? '';
  if (mayAsk && words !== '') ask(words);
}

function submitToken(page: Document, { token }: Acts): void {
  const words = page.querySelector<HTMLInputElement>(`#${tokenId}`)?.value.trim() ?? '';
  if (words !== '') token(words);
}

/** The mark that led to a passage, so that Esc leads back. */
const cameFrom = new WeakMap<Element, Element>();

function showPassage(page: Document, n: number, mark: Element): void {
  const passage = page.getElementById(passageId(n));
  const summary = passage?.querySelector('summary');
  if (!(passage instanceof HTMLDetailsElement) || summary == null) return;
  cameFrom.set(passage, mark);
  passage.open = true;
  const isStill = matchMedia('(prefers-reduced-motion: reduce)').matches;
  passage.scrollIntoView({ block: 'nearest', behavior: isStill ? 'auto' : 'smooth' });
  summary.focus({ preventScroll: true });
}

/** From a passage back to where it is cited; else the answer under way is stopped; else the box is left. */
function leave(page: Document, { stop }: Acts): void {
  const passage = page.activeElement?.closest('.passage');
  if (passage instanceof HTMLDetailsElement && passage.open) {
    passage.open = false;
    const mark = cameFrom.get(passage);
    if (mark instanceof HTMLElement && mark.isConnected) mark.focus();
    return;
  }
  if (!stop() && page.activeElement instanceof HTMLTextAreaElement) page.activeElement.blur();
}
