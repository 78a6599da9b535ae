/** Dates by their months: days and years are numbers like others, `March`, `03` and `mars` are one month. */

/** Languages whose names of months are known; Intl has the names. */
const languages = 'en de fr es it pt nl sv da pl cs ru uk tr fi'.split(' ');

interface MonthNames {
  readonly numbers: ReadonlyMap<string, number>;
  readonly named: RegExp;
  /** Beside a number only. */
  readonly dated: RegExp;
}

/** 35 ms, so only when an answer is checked. */
let known: MonthNames | undefined;
const months = (): MonthNames => (known ??= makeNames());

function makeNames(): MonthNames {
  const numbers = new Map<string, number>();
  for (const language of languages)
    for (const style of [{ month: 'long', day: 'numeric' }, { month: 'long' }, { month: 'short' }] as const)
      for (let month = 1; month <= 12; month += 1) {
        const parts = new Intl.DateTimeFormat(language, style).formatToParts(new Date(2000, month - 1, 1));
        const name = parts
          .find(({ type }) => type === 'month')
          ?.value.replace(/\.$/u, '')
          .toLowerCase();
        if (name !== undefined && /^\p{L}{3,}$/u.test(name) && !numbers.has(name)) numbers.set(name, month);
      }
  const names = [...numbers.keys()].sort((a, b) => b.length - a.length).join('|');
  const between = String.raw`(?:st|nd|rd|th|\.)?(?:\s|,|of|de)*`;
  return {
    numbers,
    named: new RegExp(`(?<!\\p{L})(${names})(?!\\p{L})`, 'gu'),
    dated: new RegExp(
      `(?<=\\d${between})(?<!\\p{L})(${names})(?!\\p{L})|(?<!\\p{L})(${names})(?=\\.?(?:\\s|,|of|de)*\\d)`,
      'gu',
    ),
  };
}

/** Year first, or day and month in either order. */
const numeric =
  /(?<!\d)(?:(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})|(\d{1,2})[-/.](\d{1,2})[-/.](\d{4}))(?!\d)/gu;

const key = (month: number): string => `month ${month}`;

interface Months {
  /** For each date the keys of which one must hold. */
  readonly claims: readonly string[][];
  /** The text without its numeric dates; their days and years are still in it. */
  readonly rest: string;
}

/**
 * @param text in small letters
 * @param which `dated`: only names beside a number, as "may" is a verb; `named`: anywhere
 */
export function monthKeys(text: string, which: 'dated' | 'named'): Months {
  const claims: string[][] = [];
  const { numbers, ...names } = months();
  for (const [, first, second] of text.matchAll(names[which]))
    claims.push([key(numbers.get(first ?? second ?? '') ?? 0)]);
  const rest = text.replace(numeric, (_, year, month, day, one, two, last) => {
    if (year !== undefined) {
      claims.push([key(Number(month))]);
      return ` ${year} ${day} `;
    }
    const either = [Number(one), Number(two)].filter((value) => value <= 12);
    claims.push(either.map(key));
    return ` ${last} ${either.length === 2 ? '' : Math.max(Number(one), Number(two))} `;
  });
  return { claims, rest };
}
