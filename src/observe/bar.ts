/** A progress bar as text. Pure. */
import { widthOf } from './width.ts';

export interface BarInput {
  readonly done: number;
  /** Null: nobody knows yet, and there is no bar. */
  readonly of: number | null;
  /** What is counted. */
  readonly what: string;
  /** In the order in which it is kept where there is no room for all. */
  readonly more: readonly string[];
}

/** Of the bar itself: the least that it is drawn with, what it is left before anything else is told, the most. */
const [least, wanted, most] = [8, 20, 40];

/**
 * `[#######------]  42 % 168 of 400 documents, 12 s left, 35 chunks/s`, in at most so many columns: the counts always,
 * then the bar, then of `more` what fits. ASCII: a terminal without UTF-8 shows it as it is.
 */
export function barText({ done, of, what, more }: BarInput, columns: number): string {
  const count = (value: number): string => value.toLocaleString('en');
  const counts = `${count(done)}${of === null ? '' : ` of ${count(of)}`} ${what}`;
  const room = columns - (of === null ? 0 : wanted + '[]  42 % '.length);
  let text = counts;
  for (const each of more) if (widthOf(text) + 2 + widthOf(each) <= room) text += `, ${each}`;
  if (of === null) return text;
  const share = of === 0 ? 1 : Math.min(1, done / of);
  const percent = `${String(Math.floor(100 * share)).padStart(3)} %`;
  const size = Math.min(most, columns - widthOf(`[] ${percent} ${text}`));
  if (size < least) return text;
  const full = Math.floor(size * share);
  return `[${'#'.repeat(full)}${'-'.repeat(size - full)}] ${percent} ${text}`;
}
