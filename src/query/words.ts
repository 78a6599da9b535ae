/** Scripts that are written without spaces: a character is taken for a word. */
const word = /[\p{sc=Han}\p{sc=Hira}\p{sc=Kana}\p{sc=Thai}]|[\p{L}\p{M}\p{N}]+(?:[.,]\p{N}+)*|%/gu;

/** Words in small letters, compatibility forms unified; a decimal number is one word. */
export const words = (text: string): string[] => text.normalize('NFKC').toLowerCase().match(word) ?? [];

const stopWords = new Set(
  `a about after all also an and any are as at be because been before between both but by can could did do does
  during each for from further had has have having he her his how however if in into is it its itself may might
  more most must no nor not of off on only or other our out over own same she should since so some such than
  that the their them then there therefore these they this those through thus to under until up upon very was
  we were what when where whether which while who whom whose why will with within without would you your`.split(
    /\s+/u,
  ),
);

/** Words that carry meaning, each cut to a light English stem. Other languages keep their words whole. */
export const contentWords = (text: string): string[] =>
  words(text)
    .filter(
      (each) =>
        /\p{L}/u.test(each) && !stopWords.has(each) && (each.length > 2 || !/^\p{sc=Latn}+$/u.test(each)),
    )
    .map(stem);

/** Only endings that leave four letters: "studies" and "study", "measured" and "measures" meet. */
function stem(each: string): string {
  const cut = each.replace(/(?:ies|ied)$/u, 'y').replace(/(?:ing|ed|es|ly|s)$/u, '');
  return cut.length >= 4 ? cut.replace(/e$/u, '') : each;
}

const units = new Map(
  Object.entries({
    '%': '% percent',
    kg: 'kg kilogram kilograms',
    g: 'g gram grams',
    mg: 'mg milligram milligrams',
    µg: 'μg ug mcg microgram micrograms',
    ng: 'ng nanogram nanograms',
    l: 'l litre litres liter liters',
    ml: 'ml millilitre millilitres milliliter milliliters',
    km: 'km kilometre kilometres kilometer kilometers',
    m: 'm metre metres meter meters',
    cm: 'cm centimetre centimetres centimeter centimeters',
    mm: 'mm millimetre millimetres millimeter millimeters',
    mmhg: 'mmhg',
    s: 's sec second seconds',
    ms: 'ms millisecond milliseconds',
    min: 'min minute minutes',
    h: 'h hr hrs hour hours',
    day: 'day days',
    week: 'week weeks',
    month: 'month months',
    year: 'year years yr yrs',
    mol: 'mol',
    mmol: 'mmol',
    k: 'k kelvin',
    v: 'v volt volts',
    w: 'w watt watts',
    kw: 'kw kilowatt kilowatts',
    mw: 'mw megawatt megawatts',
    hz: 'hz hertz',
    mb: 'mb megabyte megabytes',
    gb: 'gb gigabyte gigabytes',
    tb: 'tb terabyte terabytes',
  }).flatMap(([unit, names]) => names.split(' ').map((name): [string, string] => [name, unit])),
);

/** A number, optionally run together with the letters of a unit (`20mg`), then the word after it. */
const figure = /(?<![\p{L}\p{N}.])(\d+(?:,\d{3})*(?:\.\d+)?)[\s-]*(%|°?\p{L}+)?/gu;

/**
 * The numbers of a text, each as `number` or `number unit`: `2,000 ml`, `2000 millilitres` and `2000ml` are one.
 * A number with a unit is also there without it, so that a sentence may leave the unit out.
 */
export function figures(text: string): string[] {
  const found: string[] = [];
  for (const [, number = '', after = ''] of text.normalize('NFKC').toLowerCase().matchAll(figure)) {
    const value = String(Number(number.replaceAll(',', '')));
    const unit = after.startsWith('°') ? after : units.get(after);
    found.push(value);
    if (unit !== undefined) found.push(`${value} ${unit}`);
  }
  return found;
}
