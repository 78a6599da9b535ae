import { languages } from './languages.ts';
import { splitWords } from './split.ts';

/** Of a longer text the rest says the same. */
const sampleLength = 4_000;

const kana = /[\p{sc=Hira}\p{sc=Kana}]/gu;
const han = /\p{sc=Han}/gu;
const letter = /\p{L}/gu;
const eastAsianScript = /[\p{sc=Han}\p{sc=Hira}\p{sc=Kana}]/u;

/** By stop word: the languages that have it. */
const speakers = new Map<string, string[]>();
for (const [language, { stopWords }] of languages) {
  for (const word of stopWords) {
    const those = speakers.get(word);
    if (those === undefined) speakers.set(word, [language]);
    else those.push(language);
  }
}

/**
 * The language that a text is written in, told by its script and its stop words: without a model, which would take
 * 90 MB and 0.1 s of each thread. A wrong guess does little harm, because questions are analysed in the same way.
 *
 * @param declared what the document says, taken where its words do not tell: pages often say what their template said
 * @returns ISO 639-1, of those in `languages`; '' where it is not known
 */
export function languageOf(text: string, declared?: string): string {
  const sample = text.slice(0, sampleLength);
  return eastAsian(sample) ?? bySpeakers(sample) ?? known(declared);
}

const count = (text: string, what: RegExp): number => text.match(what)?.length ?? 0;

function eastAsian(sample: string): string | undefined {
  if (!eastAsianScript.test(sample)) return undefined;
  const [letters, syllables] = [count(sample, letter), count(sample, kana)];
  if (syllables > letters / 10) return 'ja';
  return count(sample, han) > letters / 2 ? 'zh' : undefined;
}

/** Function words are a third to a half of a text; Turkish and Finnish have fewer. */
const leastShare = 0.1;
const leastHits = 2;

interface Claim {
  readonly hits: number;
  /** A word that several languages share speaks for each of them by its part. */
  readonly weight: number;
}

function bySpeakers(sample: string): string | undefined {
  const claims = new Map<string, Claim>();
  const words = splitWords(sample);
  for (const word of words) {
    const those = speakers.get(word) ?? [];
    for (const language of those) {
      const { hits, weight } = claims.get(language) ?? { hits: 0, weight: 0 };
      claims.set(language, { hits: hits + 1, weight: weight + 1 / those.length });
    }
  }
  const [best, second] = [...claims].toSorted(([a, x], [b, y]) => y.weight - x.weight || (a < b ? -1 : 1));
  if (best === undefined) return undefined;
  const [language, { hits, weight }] = best;
  // One of three says enough, one of a hundred nothing: Norwegian and Danish share most of their words.
  const isClear = weight - (second?.[1].weight ?? 0) >= Math.sqrt(weight) / 2;
  return hits >= leastHits && hits >= words.length * leastShare && isClear ? language : undefined;
}

/** `de-CH` is `de`. */
function known(declared = ''): string {
  const language = declared.toLowerCase().split(/[-_]/, 1)[0] ?? '';
  return languages.has(language) ? language : '';
}
