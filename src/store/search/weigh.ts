import type { QuestionWord } from '../../words/question.ts';
import { rarity, type WeighedWord } from './bm25.ts';
import type { TableStatistics } from './statistics.ts';

/** A question as it is asked of one table. */
export interface TableQuestion {
  readonly table: TableStatistics;
  /** Those of words that the table has, each as often as the question has its word. Lance weighs them by the table alone. */
  readonly forms: readonly string[];
  /** Every word has one form: Lance's order is nearly that of the scores. */
  readonly isPlain: boolean;
  /** No passage of the table has a score above this many times that which Lance gives it. */
  readonly atMost: number;
}

export interface WeighedQuestion {
  readonly words: readonly WeighedWord[];
  /** Of the passages of all tables. */
  readonly meanLength: number;
  readonly tables: readonly TableQuestion[];
}

/** A word of a question and how many passages of each table have it. */
interface CountedWord extends QuestionWord {
  readonly holders: readonly number[];
}

/** What each word of a question is worth, counted over all tables. */
export async function weigh(
  words: readonly QuestionWord[],
  tables: readonly TableStatistics[],
): Promise<WeighedQuestion> {
  const rows = sum(tables.map((table) => table.rows));
  const meanLength = sum(tables.map((table) => table.length)) / Math.max(1, rows);
  const counted = await Promise.all(
    words.map(async (word): Promise<CountedWord> => {
      const holders = await Promise.all(tables.map((table) => table.holders(word.forms)));
      return { ...word, holders };
    }),
  );
  const known = counted.filter(({ holders }) => sum(holders) > 0);
  const rarities = known.map(({ holders }) => rarity(rows, sum(holders)));
  return {
    words: known.map(({ forms, count }, at) => ({ forms, weight: count * (rarities[at] ?? 0) })),
    meanLength,
    tables: tables.map((table, at) => {
      const here = known.map((word, n) => ({
        word,
        rarity: rarities[n] ?? 0,
        holders: word.holders[at] ?? 0,
      }));
      return askTable(
        table,
        here.filter(({ holders }) => holders > 0),
        meanLength,
      );
    }),
  };
}

interface WordHere {
  readonly word: QuestionWord;
  /** In all tables. */
  readonly rarity: number;
  /** In this one. */
  readonly holders: number;
}

/**
 * Lance weighs each form of a word by how rare it is in the table, which is no commoner than the word, and adds up what
 * they count, which is never less than what they count together. So a passage can have more than what Lance gives it
 * only by so much as one of its words is rarer in all tables than it is in this one.
 */
function askTable(table: TableStatistics, words: readonly WordHere[], meanLength: number): TableQuestion {
  const ratios = words.map((each) => each.rarity / rarity(table.rows, each.holders));
  // A long passage loses less where passages are longer on average.
  const lengths = Math.max(1, (meanLength * table.rows) / table.length);
  return {
    table,
    forms: words.flatMap(({ word: { forms, count } }) => Array.from({ length: count }, () => forms).flat()),
    isPlain: words.every(({ word }) => word.forms.length === 1),
    atMost: lengths * Math.max(0, ...ratios),
  };
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
