/**
 * How good is the lexical search beside a plain BM25? `node quality.ts COLLECTION...`: folders with documents.jsonl,
 * queries.jsonl and qrels.tsv (query-id, corpus-id, score), as in BEIR.
 */
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { openInProcess } from './in-process.ts';
import { openScratch } from './program.ts';
import { makeReference } from './reference-bm25.ts';
import { report, type Figure } from './results.ts';
import { textHits } from '../test/store/hits.ts';

interface Row {
  readonly id: string;
  readonly title: string;
  readonly text: string;
}

/** Grade of a document for a query. */
type Qrels = ReadonlyMap<string, ReadonlyMap<string, number>>;

const readRows = (path: string): Row[] =>
  readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Partial<Row> & { readonly _id?: string })
    .map(({ id, _id, title = '', text = '' }) => ({ id: String(id ?? _id), title, text }));

function readQrels(path: string): Qrels {
  const qrels = new Map<string, Map<string, number>>();
  for (const line of readFileSync(path, 'utf8').trim().split('\n').slice(1)) {
    const [query = '', document = '', grade = '0'] = line.split('\t');
    if (Number(grade) <= 0) continue;
    qrels.set(query, (qrels.get(query) ?? new Map<string, number>()).set(document, Number(grade)));
  }
  return qrels;
}

/** Linear gain. A document counts once, where it stands first. */
function ndcg(ranking: readonly string[], grades: ReadonlyMap<string, number>): number {
  const gain = (list: readonly number[]): number =>
    list.slice(0, 10).reduce((sum, grade, at) => sum + grade / Math.log2(at + 2), 0);
  const ideal = gain([...grades.values()].sort((a, b) => b - a));
  return gain([...new Set(ranking)].map((document) => grades.get(document) ?? 0)) / ideal;
}

interface Quality {
  readonly queries: number;
  readonly ours: number;
  readonly reference: number;
}

async function measure(folder: string): Promise<Quality> {
  const documents = readRows(join(folder, 'documents.jsonl'));
  const qrels = readQrels(join(folder, 'qrels.tsv'));
  const judged = readRows(join(folder, 'queries.jsonl')).filter(({ id }) => qrels.has(id));
  const mean = (rankings: readonly (readonly string[])[]): number =>
    judged.reduce((sum, { id }, at) => sum + ndcg(rankings[at] ?? [], qrels.get(id) ?? new Map()), 0) /
    judged.length;

  using scratch = openScratch();
  await using open = await openInProcess(join(scratch.path, 'index'), 8);
  const signal = new AbortController().signal;
  await open.work.ingest({ inputs: [join(folder, 'documents.jsonl')], signal });
  // More than ten: several chunks of one document count as one.
  const hits = await textHits(
    open.store,
    judged.map(({ text }) => text),
    50,
  );
  const rank = makeReference(documents.map(({ title, text }) => `${title}\n${text}`));
  const reference = judged.map(({ text }) => rank(text, 10).map((at) => documents[at]?.id ?? ''));
  return {
    queries: judged.length,
    ours: mean(hits.map((list) => list.map(({ id }) => id))),
    reference: mean(reference),
  };
}

const folders = process.argv.slice(2);
if (folders.length === 0) {
  console.error('Cannot measure: no collection is given.\n  hint: bench/run.sh quality FOLDER...');
  process.exit(64);
}
const figures: Figure[] = [];
for (const folder of folders) {
  const { queries, ours, reference } = await measure(folder);
  const name = `${basename(folder)} (${queries} queries)`;
  figures.push({ what: `${name}: ours / reference`, value: ours / reference, atLeast: 0.98 });
  figures.push({ what: `${name}: ours`, value: ours }, { what: `${name}: reference`, value: reference });
}
report(
  import.meta.url,
  'How good is the lexical search beside a plain BM25? nDCG@10, linear gain, judged queries only.',
  figures,
  [
    'The reference ranks whole documents (title and text), k1 1.2, b 0.75; ours ranks chunks, and a document counts where its first chunk stands.',
  ],
);
