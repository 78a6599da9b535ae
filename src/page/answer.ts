/** An answer in pieces: what is text, what cites a passage, what its sentences rest on. Pure. */
import type { AnswerShown } from './asking.ts';

export type AnswerPart =
  | { readonly kind: 'text'; readonly text: string; readonly support: string | null }
  /** A number that a passage has. */
  | { readonly kind: 'citation'; readonly n: number };

/** `[1]`, and the numbers of `[1, 3]`. */
const marks = /\[(\d{1,4}(?:\s*,\s*\d{1,4})*)\]/g;

/** @param has whether a passage has that number: others stay text */
export function answerParts(
  { answer, sentences }: Pick<AnswerShown, 'answer' | 'sentences'>,
  has: (n: number) => boolean,
): readonly AnswerPart[] {
  const parts: AnswerPart[] = [];
  let at = 0;
  for (const { text, support } of sentences) {
    const begins = answer.indexOf(text, at);
    if (begins < 0) continue;
    parts.push(...cut(answer.slice(at, begins), null, has), ...cut(text, support, has));
    at = begins + text.length;
  }
  return [...parts, ...cut(answer.slice(at), null, has)];
}

function cut(text: string, support: string | null, has: (n: number) => boolean): AnswerPart[] {
  const parts: AnswerPart[] = [];
  let at = 0;
  const say = (end: number): void => {
    if (end > at) parts.push({ kind: 'text', text: text.slice(at, end), support });
  };
  for (const match of text.matchAll(marks)) {
    const numbers = (match[1] ?? '').split(',').map(Number).filter(has);
    if (numbers.length === 0) continue;
    say(match.index);
    parts.push(...numbers.map((n) => ({ kind: 'citation', n }) as const));
    at = match.index + match[0].length;
  }
  say(text.length);
  return parts;
}
