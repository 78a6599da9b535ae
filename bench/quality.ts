/**
 * How good is the lexical search beside a plain BM25? `node quality.ts COLLECTION...`: folders as `eval` takes them
 * (see query/eval/collection.ts).
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readCollection } from '../src/query/eval/collection.ts';
import { hasRelevant, judge, ndcgAt, type Scored } from '../src/query/eval/measures.ts';
import { bestPassages } from '../src/query/eval/stages.ts';
import { textHits } from '../test/store/hits.ts';
import { openInProcess } from './in-process.ts';
import { openScratch } from './program.ts';
import { makeReference } from './reference-bm25.ts';
import { report, type Figure } from './results.ts';

interface Row {
  readonly id: string;
  readonly title: string;
  readonly text: string;
}

const readRows = (path: string): Row[] =>
  readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Partial<Row> & { readonly _id?: string })
    .map(({ id, _id, title = '', text = '' }) => ({ id: String(id ?? _id), title, text }));

interface Quality {
  readonly name: string;
  readonly queries: number;
  readonly ours: number;
  readonly reference: number;
}

async function measure(folder: string): Promise<Quality> {
  const { name, corpus = '', questions, qrels = new Map() } = await readCollection({ path: folder });
  const judged = questions.filter(({ id }) => hasRelevant(qrels.get(id) ?? new Map()));
  const mean = (rankings: readonly (readonly Scored[])[]): number =>
    judged.reduce(
      (sum, { id }, at) => sum + ndcgAt(10)(judge(rankings[at] ?? [], qrels.get(id) ?? new Map())),
      0,
    ) / judged.length;
  const texts = judged.map(({ text }) => text);

  using scratch = openScratch();
  await using open = await openInProcess(join(scratch.path, 'index'), 8);
  await open.work.ingest({ inputs: [corpus], signal: new AbortController().signal });
  // More than ten: several chunks of one document count as one.
  const hits = await textHits(open.store, texts, 50);
  const documents = readRows(corpus);
  const rank = makeReference(documents.map(({ title, text }) => `${title}\n${text}`));
  const reference = texts.map((text) =>
    rank(text, 10).map((at, place) => ({ document: documents[at]?.id ?? '', score: -place })),
  );
  return {
    name,
    queries: judged.length,
    ours: mean(hits.map((list) => bestPassages(list, 10))),
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
  const { name, queries, ours, reference } = await measure(folder);
  const what = `${name} (${queries} queries)`;
  figures.push({ what: `${what}: ours / reference`, value: ours / reference, atLeast: 0.98 });
  figures.push({ what: `${what}: ours`, value: ours }, { what: `${what}: reference`, value: reference });
}
report(
  import.meta.url,
  'How good is the lexical search beside a plain BM25? nDCG@10, linear gain, judged queries only.',
  figures,
  [
    'The reference ranks whole documents (title and text), k1 1.2, b 0.75; ours ranks chunks, and a document counts where its best chunk stands.',
  ],
);
