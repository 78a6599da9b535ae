import type { QuestionWord } from '../words/question.ts';
import { rarity, type WeighedWord } from './bm25.ts';
import type { TableStatistics } from './statistics.ts';

/** A question as it is asked of one table. */
export interface TableQuestion {
  readonly table: TableStatistics;
  /** The forms that the table has, each as often as the question has its word. Lance weighs them by the table alone. */
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

/** What each word of a question is worth, counted over all tables. */
export async function weigh(
  words: readonly QuestionWord[],
  tables: readonly TableStatistics[],
): Promise<WeighedQuestion> {
  const [rows, length] = [sum(tables.map((each) => each.rows)), sum(tables.map((each) => each.length))];
  const meanLength = length / Math.max(1, rows);
  const weighed = await Promise.all(
    words.map(async ({ forms, count }) => {
      const holders = sum(await Promise.all(tables.map((table) => table.holders(forms))));
      return { forms, count, holders, weight: count * rarity(rows, holders) };
    }),
  );
  const asked = weighed.filter(({ holders }) => holders > 0);
  return {
    words: asked,
    meanLength,
    tables: await Promise.all(tables.map((table) => askTable(table, asked, meanLength))),
  };
}

/**
 * Lance adds up the forms of a word, which is never less than what they count together, and weighs each by how rare it
 * is in the table. So the most that a word can weigh more in all tables than in this one is the most that a passage can.
 */
async function askTable(
  table: TableStatistics,
  asked: readonly (WeighedWord & Pick<QuestionWord, 'count'>)[],
  meanLength: number,
): Promise<TableQuestion> {
  const forms = asked.flatMap(({ forms, weight, count }) =>
    forms.map(async (form) => {
      const holders = await table.holders([form]);
      const here = count * rarity(table.rows, holders);
      return { form, count, holders, ratio: weight / here };
    }),
  );
  const present = (await Promise.all(forms)).filter(({ holders }) => holders > 0);
  // A long passage loses less where passages are longer on average.
  const lengths = Math.max(1, (meanLength * table.rows) / table.length);
  return {
    table,
    isPlain: asked.every(({ forms }) => forms.length === 1),
    forms: present.flatMap(({ form, count }) => Array.from({ length: count }, () => form)),
    atMost: lengths * Math.max(0, ...present.map(({ ratio }) => ratio)),
  };
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
