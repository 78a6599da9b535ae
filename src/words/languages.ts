import { stemmer as arabicStem } from '@orama/stemmers/arabic';
import { stemmer as armenianStem } from '@orama/stemmers/armenian';
import { stemmer as bulgarianStem } from '@orama/stemmers/bulgarian';
import { stemmer as danishStem } from '@orama/stemmers/danish';
import { stemmer as dutchStem } from '@orama/stemmers/dutch';
import { stemmer as englishStem } from '@orama/stemmers/english';
import { stemmer as finnishStem } from '@orama/stemmers/finnish';
import { stemmer as frenchStem } from '@orama/stemmers/french';
import { stemmer as germanStem } from '@orama/stemmers/german';
import { stemmer as greekStem } from '@orama/stemmers/greek';
import { stemmer as hungarianStem } from '@orama/stemmers/hungarian';
import { stemmer as indianStem } from '@orama/stemmers/indian';
import { stemmer as indonesianStem } from '@orama/stemmers/indonesian';
import { stemmer as italianStem } from '@orama/stemmers/italian';
import { stemmer as lithuanianStem } from '@orama/stemmers/lithuanian';
import { stemmer as norwegianStem } from '@orama/stemmers/norwegian';
import { stemmer as portugueseStem } from '@orama/stemmers/portuguese';
import { stemmer as romanianStem } from '@orama/stemmers/romanian';
import { stemmer as russianStem } from '@orama/stemmers/russian';
import { stemmer as spanishStem } from '@orama/stemmers/spanish';
import { stemmer as swedishStem } from '@orama/stemmers/swedish';
import { stemmer as tamilStem } from '@orama/stemmers/tamil';
import { stemmer as turkishStem } from '@orama/stemmers/turkish';
import { stemmer as ukrainianStem } from '@orama/stemmers/ukrainian';
import { stopwords as arabicStops } from '@orama/stopwords/arabic';
import { stopwords as armenianStops } from '@orama/stopwords/armenian';
import { stopwords as bulgarianStops } from '@orama/stopwords/bulgarian';
import { stopwords as danishStops } from '@orama/stopwords/danish';
import { stopwords as dutchStops } from '@orama/stopwords/dutch';
import { stopwords as englishStops } from '@orama/stopwords/english';
import { stopwords as finnishStops } from '@orama/stopwords/finnish';
import { stopwords as frenchStops } from '@orama/stopwords/french';
import { stopwords as germanStops } from '@orama/stopwords/german';
import { stopwords as greekStops } from '@orama/stopwords/greek';
import { stopwords as hungarianStops } from '@orama/stopwords/hungarian';
import { stopwords as indianStops } from '@orama/stopwords/indian';
import { stopwords as indonesianStops } from '@orama/stopwords/indonesian';
import { stopwords as italianStops } from '@orama/stopwords/italian';
import { stopwords as japaneseStops } from '@orama/stopwords/japanese';
import { stopwords as lithuanianStops } from '@orama/stopwords/lithuanian';
import { stopwords as mandarinStops } from '@orama/stopwords/mandarin';
import { stopwords as norwegianStops } from '@orama/stopwords/norwegian';
import { stopwords as portugueseStops } from '@orama/stopwords/portuguese';
import { stopwords as romanianStops } from '@orama/stopwords/romanian';
import { stopwords as russianStops } from '@orama/stopwords/russian';
import { stopwords as spanishStops } from '@orama/stopwords/spanish';
import { stopwords as swedishStops } from '@orama/stopwords/swedish';
import { stopwords as tamilStops } from '@orama/stopwords/tamil';
import { stopwords as turkishStops } from '@orama/stopwords/turkish';
import { stopwords as ukrainianStops } from '@orama/stopwords/ukrainian';
import { splitWords } from './split.ts';

/** What is known of the words of a language. */
export interface Language {
  readonly stem: (word: string) => string;
  /** As splitWords makes them. */
  readonly stopWords: ReadonlySet<string>;
}

/** `don't` is split into `don` and `t`. */
const language = (stopWords: readonly string[], stem = (word: string): string => word): Language => ({
  stem,
  stopWords: new Set(stopWords.flatMap(splitWords)),
});

/**
 * By ISO 639-1. Serbian and Slovenian are left out: their stop words are those of Czech, Polish and Croatian too, of
 * which there are no stems.
 */
export const languages: ReadonlyMap<string, Language> = new Map([
  ['ar', language(arabicStops, arabicStem)],
  ['bg', language(bulgarianStops, bulgarianStem)],
  ['da', language(danishStops, danishStem)],
  ['de', language(germanStops, germanStem)],
  ['el', language(greekStops, greekStem)],
  ['en', language(englishStops, englishStem)],
  ['es', language(spanishStops, spanishStem)],
  ['fi', language(finnishStops, finnishStem)],
  ['fr', language(frenchStops, frenchStem)],
  ['hi', language(indianStops, indianStem)],
  ['hu', language(hungarianStops, hungarianStem)],
  ['hy', language(armenianStops, armenianStem)],
  ['id', language(indonesianStops, indonesianStem)],
  ['it', language(italianStops, italianStem)],
  ['lt', language(lithuanianStops, lithuanianStem)],
  ['nl', language(dutchStops, dutchStem)],
  ['no', language(norwegianStops, norwegianStem)],
  ['pt', language(portugueseStops, portugueseStem)],
  ['ro', language(romanianStops, romanianStem)],
  ['ru', language(russianStops, russianStem)],
  ['sv', language(swedishStops, swedishStem)],
  ['ta', language(tamilStops, tamilStem)],
  ['tr', language(turkishStops, turkishStem)],
  ['uk', language(ukrainianStops, ukrainianStem)],
  ['ja', language(japaneseStops)],
  ['zh', language(mandarinStops)],
]);
