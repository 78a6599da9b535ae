import { createRequire } from 'node:module';
import { stopwords as arabic } from '@orama/stopwords/arabic';
import { stopwords as armenian } from '@orama/stopwords/armenian';
import { stopwords as bulgarian } from '@orama/stopwords/bulgarian';
import { stopwords as danish } from '@orama/stopwords/danish';
import { stopwords as dutch } from '@orama/stopwords/dutch';
import { stopwords as english } from '@orama/stopwords/english';
import { stopwords as finnish } from '@orama/stopwords/finnish';
import { stopwords as french } from '@orama/stopwords/french';
import { stopwords as german } from '@orama/stopwords/german';
import { stopwords as greek } from '@orama/stopwords/greek';
import { stopwords as hungarian } from '@orama/stopwords/hungarian';
import { stopwords as indian } from '@orama/stopwords/indian';
import { stopwords as indonesian } from '@orama/stopwords/indonesian';
import { stopwords as italian } from '@orama/stopwords/italian';
import { stopwords as japanese } from '@orama/stopwords/japanese';
import { stopwords as mandarin } from '@orama/stopwords/mandarin';
import { stopwords as norwegian } from '@orama/stopwords/norwegian';
import { stopwords as portuguese } from '@orama/stopwords/portuguese';
import { stopwords as romanian } from '@orama/stopwords/romanian';
import { stopwords as russian } from '@orama/stopwords/russian';
import { stopwords as spanish } from '@orama/stopwords/spanish';
import { stopwords as swedish } from '@orama/stopwords/swedish';
import { stopwords as tamil } from '@orama/stopwords/tamil';
import { stopwords as turkish } from '@orama/stopwords/turkish';
import { stopwords as ukrainian } from '@orama/stopwords/ukrainian';

type Stem = (word: string) => string;

/** What is known of the words of a language. */
export interface Language {
  readonly stem: Stem;
  /** In small letters, without punctuation. */
  readonly stopWords: ReadonlySet<string>;
}

/** A longer list holds words that carry meaning (trabajo, estado): of these the short ones count. */
const mostWords = 300;
const longestOfMany = 4;

const noStemmer = (): unknown => ({ stemmer: (word: string) => word });

/** @param load the stemmer's module; those of languages that are not met, 10 ms of every thread, are never loaded */
function language(list: readonly string[], load: () => unknown = noStemmer): Language {
  // `don't` is `don` and `t` in a text.
  const words = list.flatMap((word) => word.toLowerCase().split(/['’ ]/u));
  const longest = words.length > mostWords ? longestOfMany : Infinity;
  let stem: Stem | undefined;
  return {
    stem: (word) => (stem ??= (load() as { readonly stemmer: Stem }).stemmer)(word),
    stopWords: new Set(words.filter(({ length }) => length > 0 && length <= longest)),
  };
}

const require = createRequire(import.meta.url);

/**
 * By ISO 639-1. Left out are Serbian and Slovenian, whose stop words are those of Czech, Polish and Croatian too, of
 * which there are no stems, and Lithuanian, whose list is in a wrong encoding.
 */
export const languages: ReadonlyMap<string, Language> = new Map(
  Object.entries({
    ar: language(arabic, () => require('@orama/stemmers/arabic')),
    bg: language(bulgarian, () => require('@orama/stemmers/bulgarian')),
    da: language(danish, () => require('@orama/stemmers/danish')),
    de: language(german, () => require('@orama/stemmers/german')),
    el: language(greek, () => require('@orama/stemmers/greek')),
    en: language([...english, 'a'], () => require('@orama/stemmers/english')),
    es: language(spanish, () => require('@orama/stemmers/spanish')),
    fi: language(finnish, () => require('@orama/stemmers/finnish')),
    fr: language(french, () => require('@orama/stemmers/french')),
    hi: language(indian, () => require('@orama/stemmers/indian')),
    hu: language(hungarian, () => require('@orama/stemmers/hungarian')),
    hy: language(armenian, () => require('@orama/stemmers/armenian')),
    id: language(indonesian, () => require('@orama/stemmers/indonesian')),
    it: language(italian, () => require('@orama/stemmers/italian')),
    nl: language(dutch, () => require('@orama/stemmers/dutch')),
    no: language(norwegian, () => require('@orama/stemmers/norwegian')),
    pt: language(portuguese, () => require('@orama/stemmers/portuguese')),
    ro: language(romanian, () => require('@orama/stemmers/romanian')),
    ru: language(russian, () => require('@orama/stemmers/russian')),
    sv: language(swedish, () => require('@orama/stemmers/swedish')),
    ta: language(tamil, () => require('@orama/stemmers/tamil')),
    tr: language(turkish, () => require('@orama/stemmers/turkish')),
    uk: language(ukrainian, () => require('@orama/stemmers/ukrainian')),
    ja: language(japanese),
    zh: language(mandarin),
  }),
);
