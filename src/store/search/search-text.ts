import { MatchQuery, type Query } from '@lancedb/lancedb';
import { questionWords } from '../../words/question.ts';
import { makeScorer, type ScorePassage } from './bm25.ts';
import { isShown, type Ledger } from '../ledger.ts';
import type { Resident } from './resident.ts';
import type { StoredRow } from '../write/rows.ts';
import { mapLimited } from './search.ts';
import type { Statistics } from './statistics.ts';
import { wordsColumn } from '../consolidate/textindex.ts';
import type { Ranked } from '../types.ts';
import type { View } from '../view.ts';
import { weigh, type TableQuestion } from './weigh.ts';

export interface TextSearch {
  readonly k: number;
  /** SQL: only rows of which it is true; what a word is worth is counted over all rows. */
  readonly where: string | undefined;
  /** Of main, where it is in memory. */
  readonly resident: () => Resident | undefined;
}

/**
 * BM25 of title and text, in several tables as in one: Lance finds candidates by the statistics of each table, and
 * they are scored here by those of all. Best first, ties by chunk. A question of punctuation or stop words has no
 * hits.
 */
export async function searchText(
  view: View,
  statistics: Statistics,
  texts: readonly string[],
  { k, where, resident }: TextSearch,
): Promise<Ranked[][]> {
  const tables = await statistics.of(view, resident);
  const languages = [...new Set(tables.flatMap((table) => [...table.languages]))].sort();
  return mapLimited(texts, async (text) => {
    const question = await weigh(questionWords(text, languages), tables);
    const score = makeScorer(question.words, question.meanLength);
    return best(question.tables, { k, where, score, resident, ledger: view.ledger });
  });
}

interface Wanted extends TextSearch {
  readonly score: ScorePassage;
  readonly ledger: Ledger;
}

/** What was found in one table. */
interface Source {
  readonly asked: TableQuestion;
  readonly found: readonly Ranked[];
  /** No passage that was not found has a higher score; null when all were found. */
  readonly rest: number | null;
  readonly limit: number;
}

/** Passages with the same few words in equal numbers have equal scores: of more of them than this chance decides. */
const mostRows = 16_384;

/** Fetches more from every table that may yet have a passage among the best k. */
async function best(tables: readonly TableQuestion[], wanted: Wanted): Promise<Ranked[]> {
  const { k } = wanted;
  if (k <= 0) return [];
  let sources = tables.map((asked) => begin(asked, k, tables.length));
  for (;;) {
    const ranked = rank(sources.flatMap(({ found }) => found)).slice(0, k);
    const kth = ranked[k - 1]?.score ?? -Infinity;
    const isOpen = ({ rest }: Source): boolean => rest !== null && rest >= kth;
    if (!sources.some(isOpen)) return ranked;
    sources = await Promise.all(
      sources.map(async (source) => (isOpen(source) ? fetchMore(source, wanted) : source)),
    );
  }
}

/** As many as nearly always are enough: every hundred more take a millisecond. */
function begin(asked: TableQuestion, k: number, tables: number): Source {
  const part = tables === 1 ? k : Math.ceil((2 * k) / tables);
  const limit = asked.isPlain ? part + 8 : 2 * part + 16;
  return { asked, found: [], rest: asked.forms.length === 0 ? null : Infinity, limit };
}

/** Best first, ties by chunk; a chunk that is in main and still in its shard counts once. */
function rank(found: readonly Ranked[]): Ranked[] {
  const sorted = found.toSorted((a, b) => b.score - a.score || (a.chunk < b.chunk ? -1 : 1));
  const seen = new Set<string>();
  return sorted.filter(({ chunk }) => !seen.has(chunk) && seen.add(chunk));
}

/** Lance counts in single precision. */
const rounding = 1 + 1e-5;

async function fetchMore({ asked, limit }: Source, wanted: Wanted): Promise<Source> {
  const { where, score, ledger } = wanted;
  const { place } = asked.table;
  const areAllShown = place === 'main' && ledger.size === 0;
  const found: Ranked[] = [];
  let { atMost } = asked;
  let [count, lowest] = [0, Infinity];
  const resident = place === 'main' ? wanted.resident() : undefined;
  for await (const row of candidates(asked, { limit, where, areAllShown, resident })) {
    const ours = score(row.words, row.length);
    count += 1;
    lowest = Math.min(lowest, row.lance);
    // Lance counts rows too that were replaced, until its index is brought up to date.
    atMost = Math.max(atMost, ours / row.lance);
    if (areAllShown || isShown(ledger, row, place))
      found.push({ chunk: row.chunk, score: ours, digest: row.digest });
  }
  const isAll = count < limit || limit >= mostRows;
  return { asked, found, rest: isAll ? null : lowest * atMost * rounding, limit: limit * 4 };
}

interface Candidate {
  readonly chunk: string;
  readonly digest: number;
  readonly words: string;
  readonly length: number;
  /** Lance's score. */
  readonly lance: number;
  /** Empty where all rows are shown: every column takes a tenth of the question. */
  readonly document: string;
  readonly hash: string;
}

interface Fetch {
  readonly limit: number;
  readonly where: string | undefined;
  readonly areAllShown: boolean;
  readonly resident: Resident | undefined;
}

async function* candidates(asked: TableQuestion, fetch: Fetch): AsyncGenerator<Candidate> {
  const { resident } = fetch;
  if (resident === undefined) {
    yield* readCandidates(asked, fetch);
    return;
  }
  const rows = await findRows(asked, fetch, ['_score']).withRowId().toArray();
  const known = rows.map((row: StoredRow) => ({
    ...resident.words(row['_rowid'] as bigint),
    lance: Number(row['_score']),
  }));
  // Of another version than the one in memory, or too long to be there.
  const areKnown = known.every(({ words }) => words !== undefined);
  yield* areKnown ? (known as Candidate[]) : readCandidates(asked, fetch);
}

function findRows(
  { table: { table }, forms }: TableQuestion,
  { limit, where }: Fetch,
  columns: readonly string[],
): Query {
  const query = table
    .query()
    .nearestToText(new MatchQuery(forms.join(' '), wordsColumn))
    .select([...columns])
    .limit(limit);
  return where === undefined ? query : query.where(where);
}

async function* readCandidates(asked: TableQuestion, fetch: Fetch): AsyncGenerator<Candidate> {
  const always = ['chunk_id', 'text_digest', 'words', 'length', '_score'];
  const columns = fetch.areAllShown ? always : [...always, 'document', 'hash'];
  for await (const batch of findRows(asked, fetch, columns)) {
    const column = (name: string): { get(at: number): unknown } => batch.getChild(name) ?? { get: () => '' };
    const [chunk, digest, words, length, lance] = always.map(column);
    const [document, hash] = ['document', 'hash'].map(column);
    for (let at = 0; at < batch.numRows; at++)
      yield {
        chunk: String(chunk?.get(at)),
        digest: Number(digest?.get(at)),
        words: String(words?.get(at)),
        length: Number(length?.get(at)),
        lance: Number(lance?.get(at)),
        document: String(document?.get(at)),
        hash: String(hash?.get(at)),
      };
  }
}
