/**
 * Numbers and dates of a text, so that those of a sentence can be looked for in the passage it cites. What a number
 * means is a key: `2,000 ml`, `2000 millilitres`, `2 l` and `two litres` all have the key `2000 ml`.
 */
import { monthKeys } from './months.ts';
import { measureOf, perMark } from './units.ts';

/** A number as it stands in a text. */
interface Found {
  /** More than one where the writing leaves it open: `1.234` is a thousand and more in Rome. */
  readonly readings: readonly number[];
  /** What follows it, if it can be a unit. */
  readonly unit: string | undefined;
  readonly from: number;
  readonly to: number;
  readonly spelled: boolean;
}

const small =
  'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen';
const tens = 'twenty thirty forty fifty sixty seventy eighty ninety';
const spelled = new Map<string, number>([
  ...small.split(' ').map((word, value): [string, number] => [word, value]),
  ...tens.split(' ').map((word, at): [string, number] => [word, 10 * (at + 2)]),
  ...[
    'zwei drei vier fünf sechs sieben acht neun zehn',
    'deux trois quatre cinq six sept huit neuf dix',
  ].flatMap((words) => words.split(' ').map((word, at): [string, number] => [word, at + 2])),
  ...'dos tres cuatro cinco seis siete ocho nueve diez'
    .split(' ')
    .map((word, at): [string, number] => [word, at + 2]),
]);
/** One, where a unit follows: "a millimetre a year". */
const articles = 'a an ein eine einen einem einer eines un une una'.split(' ');
for (const article of articles) spelled.set(article, 1);

const multiples = new Map([
  ['hundred', 100],
  ['thousand', 1e3],
  ['million', 1e6],
  ['millionen', 1e6],
  ['millions', 1e6],
  ['billion', 1e9],
  ['milliarden', 1e9],
]);

const digits = String.raw`\d{1,3}(?: \d{3})+(?!\d)(?:[.,]\d+)?|\d+(?:[.,'’]\d+)*|\.\d+`;
const words = [...spelled.keys()].sort((a, b) => b.length - a.length).join('|');
const times = `(?:[\\s-]+(${[...multiples.keys()].join('|')})\\b)?`;
const unit = String.raw`(?:[\s-]*(%|°\s?[cf]\b|\p{L}+(?:\s?/\s?\p{L}+|\s+per\s+\p{L}+)?))?`;
const number = new RegExp(
  `(?<![\\p{L}\\p{N}_])([$€£]\\s?)?(?:(${digits})|((?:${words})(?:-(?:${words}))?)(?!\\p{L}))${times}${unit}`,
  'gu',
);

/**
 * What a sentence claims: of each number and each date the keys of which one must stand in the passage. A spelled
 * number counts only with a unit (`two weeks`): "one of two ways" is wording.
 */
export function claimedIn(sentence: string): string[][] {
  const text = withoutEnumeration(plain(sentence));
  const months = monthKeys(text, 'dated');
  const numbers = numbersIn(months.rest)
    .filter(
      ({ spelled: isSpelled, readings, unit: after }) => !isSpelled || (isUnit(after) && readings[0] !== 1),
    )
    .map(({ readings, unit: after }) => readings.map((value) => keyOf(value, after)));
  return [...months.claims, ...numbers];
}

/** Every key that a passage bears out, also without the unit and by each way of reading. */
export function statedIn(passage: string): Set<string> {
  const text = plain(passage);
  const keys = new Set(monthKeys(text, 'named').claims.flat());
  const numbers = numbersIn(text);
  let next: Found | undefined;
  for (const found of numbers.toReversed()) {
    // "5, 10 or 20 mg", "21 to 29 years": the unit at the end is that of all.
    const joined =
      next !== undefined && /^[\s,;±–—-]*(?:\p{L}{1,3}\s+)?$/u.test(text.slice(found.to, next.from));
    const after = isUnit(found.unit) || !joined ? found.unit : next?.unit;
    const forms = [undefined, after, after?.split(perMark)[0]];
    for (const value of found.readings) for (const form of forms) keys.add(keyOf(value, form));
    next = { ...found, unit: after };
  }
  // Numbers inside names: B12, CD4.
  for (const [inName] of text.matchAll(/(?<=\p{L})\d+/gu)) keys.add(keyOf(Number(inName), undefined));
  return keys;
}

function numbersIn(text: string): Found[] {
  const points = pointsOf(text);
  return [...text.matchAll(number)].flatMap((match) => {
    const [whole, currency, written, word = '', multiple, after] = match;
    const factor = multiples.get(multiple ?? '') ?? 1;
    const values = written === undefined ? [spelledValue(word)] : readingsOf(written, points);
    const isKnown = isUnit(after);
    if (articles.includes(word) && !isKnown) return [];
    return {
      readings: values.map((value) => value * factor),
      unit: currency?.trim() ?? after,
      from: match.index,
      to: match.index + whole.length - (isKnown || after === undefined ? 0 : after.length),
      spelled: written === undefined,
    };
  });
}

const isUnit = (text: string | undefined): boolean => text !== undefined && measureOf(text) !== undefined;

/** Fifteen digits of a float carry noise (0.1 * 3); nine are more than any text states. */
function keyOf(value: number, after: string | undefined): string {
  const measure = after === undefined ? undefined : measureOf(after);
  const exact = String(Number((value * (measure?.factor ?? 1)).toPrecision(9)));
  return measure === undefined ? exact : `${exact} ${measure.base}`;
}

const spelledValue = (word: string): number =>
  word.split('-').reduce((sum, part) => sum + (spelled.get(part) ?? 0), 0);

/** Which mark stands before decimals in a text, as far as it shows. */
type Points = ',' | '.' | 'unknown';

function pointsOf(text: string): Points {
  const [, mark] = /(?<![\d.,])\d+([.,])\d{1,2}(?![\d.,]*\d)/u.exec(text) ?? [];
  return mark === ',' || mark === '.' ? mark : 'unknown';
}

/** `1,234.5` `1.234,5` `1 234,5` `1'234.5` are one number. `1.234` alone may be two, `1,234` seldom is. */
function readingsOf(written: string, points: Points): number[] {
  const text = written.replace(/[ '’]/gu, '');
  const marks = text.replace(/\d/gu, '');
  const last = marks.at(-1) ?? '';
  const whole = Number(text.replace(/[.,]/gu, ''));
  if (last === '' || (marks.length > 1 && new Set(marks).size === 1)) return [whole];
  const at = text.lastIndexOf(last);
  const decimal = Number(`${text.slice(0, at).replace(/[.,]/gu, '')}.${text.slice(at + 1)}`);
  const mayBeWhole = marks.length === 1 && /^[1-9]\d{0,2}[.,]\d{3}$/u.test(text);
  if (!mayBeWhole || points === last) return [decimal];
  return last === '.' && points === 'unknown' ? [decimal, whole] : [whole];
}

/** Small letters, ASCII digits of every script, exponents apart from what they raise, units in one word. */
const plain = (text: string): string =>
  text
    .replace(/(?<=\d)(?=[⁰¹²³⁴-⁹])/gu, '^')
    .normalize('NFKC')
    .replace(/\p{Nd}/gu, asciiDigit)
    .toLowerCase()
    .replace(/\bmm\s+hg\b/gu, 'mmhg')
    .replace(/\bp(?:er\s+cent|our\s*cent|or\s+ciento)\b/gu, 'percent')
    .replace(/(\p{L})\s+(\p{L}+)(?:\(-1\)|\s?[-−]1)(?![\d.])/gu, '$1/$2')
    .replaceAll('٫', '.')
    .replaceAll('٬', ',');

/** The digits of a script stand in a row of ten that begins at ...0 or at ...6. */
function asciiDigit(digit: string): string {
  const code = digit.codePointAt(0) ?? 0;
  if (code < 128) return digit;
  const zero = /\p{Nd}/u.test(String.fromCodePoint(code & ~15)) ? code & ~15 : (code & ~15) + 6;
  return String(code - zero);
}

/** "(1) it is so, (2) it is not": those count the parts of the sentence. */
const withoutEnumeration = (text: string): string =>
  /\(1\)[^(]*\(2\)/u.test(text.replace(/\((?![12]\))/gu, ' ')) ? text.replace(/\(\d\)/gu, ' ') : text;
