/**
 * Are wrong citations found? `node citations.ts [COLLECTION...]`: folders with documents.jsonl (`id`, `text`) and
 * queries.jsonl (`id` of its document, `text`, `long_answer`), as PubMedQA has them. Without one: a small set of ours.
 *
 * Each answer is a claim that cites its own passage, in a prompt of five. Then the citation is moved to the nearest wrong
 * passage, the best other one by BM25 for the claim itself.
 */
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { splitSentences } from '../src/query/sentences.ts';
import { CARRIED, makeEvidence } from '../src/query/support.ts';
import { contentWords } from '../src/query/words.ts';
import { languageOf } from '../src/words/language.ts';
import { makeReference } from './reference-bm25.ts';
import { type Figure, quantile, report } from './results.ts';

interface Claim {
  readonly text: string;
  /** Position of the passage that it was written from. */
  readonly own: number;
}

interface Collection {
  readonly name: string;
  readonly passages: readonly string[];
  readonly claims: readonly Claim[];
}

const falseShare = 0.05;
const promptSize = 5;

const readLines = (file: string): Record<string, string>[] =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, string>);

function readCollection(folder: string): Collection {
  const documents = readLines(join(folder, 'documents.jsonl'));
  const places = new Map(documents.map(({ id }, at) => [id, at]));
  const claims = readLines(join(folder, 'queries.jsonl')).flatMap(({ id, long_answer: text }) => {
    const own = places.get(id);
    return own === undefined || text === undefined ? [] : [{ text, own }];
  });
  return { name: basename(folder), passages: documents.map(({ text = '' }) => text), claims };
}

function readOurs(): Collection {
  const rows = readLines(join(import.meta.dirname, 'citations.jsonl'));
  return {
    name: 'ours',
    passages: rows.map(({ passage = '' }) => passage),
    claims: rows.map(({ claim: text = '' }, own) => ({ text, own })),
  };
}

/** A claim with a prompt of passages: its own first, the nearest wrong one second. */
interface Trial {
  readonly claim: string;
  readonly prompt: readonly string[];
}

function makeTrials({ passages, claims }: Collection): Trial[] {
  const rank = makeReference(passages);
  return claims.map(({ text, own }) => {
    const wrong = rank(text, promptSize + 1).filter((at) => at !== own);
    if (wrong.length === 0) wrong.push((own + 1) % passages.length);
    const prompt = [own, ...wrong].slice(0, promptSize).map((at) => passages[at] ?? '');
    return { claim: text, prompt };
  });
}

/** How far a passage carries a claim, by whatever rule. */
type Measure = (claim: string, prompt: readonly string[], cited: number) => number;

const plainOverlap: Measure = (claim, prompt, cited) => {
  const language = languageOf(prompt.join('\n'));
  const wanted = contentWords(claim, language);
  const held = new Set(contentWords(prompt[cited] ?? '', language));
  return wanted.length === 0 ? 1 : wanted.filter((word) => held.has(word)).length / wanted.length;
};

const ours: Measure = (claim, prompt, cited) => makeEvidence(prompt).overlap(claim, [cited]);

/** A number that the passage has not, or a "not" too many, outweighs all words. */
const wholeCheck: Measure = (claim, prompt, cited) => {
  const evidence = makeEvidence(prompt);
  const overlap = evidence.overlap(claim, [cited]);
  const isForbidden = overlap >= CARRIED && evidence.support(claim, [cited]) === 'unsupported';
  return isForbidden ? -Infinity : overlap;
};

/** As for a model that found the right passage nowhere in its prompt. */
const withoutRight: Measure = (claim, prompt, cited) =>
  cited === 0 ? ours(claim, prompt, 0) : ours(claim, prompt.slice(1), 0);

/** Share of the moved citations under the threshold that 5 % of the right ones do not reach. */
function detection(trials: readonly Trial[], measure: Measure): number {
  const threshold = quantile(
    trials.map(({ claim, prompt }) => measure(claim, prompt, 0)),
    falseShare,
  );
  return share(trials, ({ claim, prompt }) => measure(claim, prompt, 1) < threshold);
}

const share = (trials: readonly Trial[], holds: (trial: Trial) => boolean): number =>
  trials.filter(holds).length / trials.length;

const isMarked = ({ claim, prompt }: Trial, cited: number): boolean =>
  makeEvidence(prompt).support(claim, [cited]) === 'unsupported';

function figuresOf(collection: Collection): Figure[] {
  const trials = makeTrials(collection);
  const sentences = makeTrials({
    ...collection,
    claims: collection.claims.flatMap(({ text, own }) =>
      splitSentences(text).map((each) => ({ text: each, own })),
    ),
  });
  const plain = detection(trials, plainOverlap);
  const of = `${collection.name} (${trials.length} claims)`;
  return [
    { what: `${of}: moved citations found by plain overlap of words`, value: plain },
    { what: `${of}: found by ours`, value: detection(trials, ours), atLeast: Math.max(0.51, plain) },
    {
      what: `${of}: found by ours, the right passage not in the prompt`,
      value: detection(trials, withoutRight),
    },
    {
      what: `${of}: found by ours with its rules for numbers and negation`,
      value: detection(trials, wholeCheck),
      atLeast: 0.51,
    },
    {
      what: `${of}: the check as it stands, moved ones marked`,
      value: share(trials, (each) => isMarked(each, 1)),
    },
    {
      what: `${of}: the check as it stands, right ones marked`,
      value: share(trials, (each) => isMarked(each, 0)),
    },
    {
      what: `${of}: sentence by sentence (${sentences.length}), plain overlap`,
      value: detection(sentences, plainOverlap),
    },
    { what: `${of}: sentence by sentence, ours`, value: detection(sentences, ours) },
  ];
}

const folders = process.argv.slice(2);
const collections = [readOurs(), ...folders.map(readCollection)];
report(
  import.meta.url,
  'Are citations found that were moved to the nearest wrong passage? Shares, at 5 % of the right ones marked falsely.',
  collections.flatMap(figuresOf),
  [
    'A prompt holds the passage of the claim, the nearest wrong one (BM25 for the claim) and three more.',
    'Ours: words and pairs of neighbouring words, each counting the less the more passages of the prompt hold it, less what another passage of the prompt holds more. A number or a "not" that the passage has not outweighs all of it.',
    "Plain overlap: the share of the claim's content words, cut to stems, that the cited passage holds.",
    'The check as it stands has a fixed threshold. Of the right citations of pubmedqa-l that it marks nearly half have a number that their abstract has not.',
  ],
);
