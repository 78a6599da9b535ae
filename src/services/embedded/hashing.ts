import { countOf, wordsOf } from '../words.ts';

export const dimensions = 384;

/** A shared word says more than shared letters; letters join what differs by an ending. */
const weights = { word: 1, letters: 0.25 };

/** 32-bit FNV-1a: the same vector on every machine and in every version of Node. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193);
  // The low bits of FNV are weak for short texts.
  value = Math.imul(value ^ (value >>> 16), 0x45d9f3b);
  return (value ^ (value >>> 16)) >>> 0;
}

const grams = (word: string): string[] =>
  Array.from({ length: word.length }, (_, at) => `_${word}_`.slice(at, at + 3)).filter(
    (gram) => gram.length === 3,
  );

/**
 * A unit vector of a text's words and of the three-letter pieces of them, each added or subtracted at a place
 * that its hash tells, so that collisions cancel out on average. Texts that share words are near.
 */
export function hashedVector(text: string): number[] {
  const vector = Array.from<number>({ length: dimensions }).fill(0);
  const add = (feature: string, weight: number): void => {
    const place = hash(feature);
    vector[place % dimensions] = (vector[place % dimensions] ?? 0) + (place & 0x10000 ? weight : -weight);
  };
  const words = wordsOf(text);
  for (const [word, count] of countOf(words)) add(`w:${word}`, weights.word * (1 + Math.log(count)));
  for (const [gram, count] of countOf(words.flatMap(grams)))
    add(`g:${gram}`, weights.letters * (1 + Math.log(count)));
  return toUnit(vector, text);
}

function toUnit(vector: number[], text: string): number[] {
  const norm = Math.hypot(...vector);
  if (norm > 0) return vector.map((value) => value / norm);
  // No word in it: some direction of its own.
  return vector.map((_, at) => (at === hash(text) % dimensions ? 1 : 0));
}
