import type { Table } from '@lancedb/lancedb';
import { makeReader } from '../search/compare.ts';
import type { StoredRow } from '../write/rows.ts';
import { toUnit } from '../search/search-dense.ts';
import { trySettings } from './tune.ts';
import { cheapest, isTuningDue, readTuning, writeTuning, type Tuning } from './tuning.ts';
import type { EncoderRecord } from '../types.ts';
import { everyPartition, vectorIndexState } from './vector-index.ts';

/** Of them the share that is found is known to a few thousandths: 48 x 100 passages. */
const questionCount = 48;

/** Finds out how the index of main is to be searched. */
export interface Tuner {
  /** Questions that were asked: the best to tune with. */
  note(questions: readonly Float32Array[]): void;
  /** Texts to be embedded as questions; none when there is nothing to tune, or enough was asked lately. */
  samples(main: Table): Promise<string[]>;
  /** @returns null when there is nothing to tune */
  tune(main: Table, encoder: EncoderRecord, given: Given): Promise<Tuning | null>;
}

export interface Given {
  /** Embedded samples; what is missing is made of the vectors of passages. */
  readonly questions: readonly Float32Array[];
  /** RAG_CANDIDATES. */
  readonly depth: number;
  readonly now: Date;
}

export function makeTuner(root: string): Tuner {
  let asked: Float32Array[] = [];
  const isDue = async (main: Table): Promise<boolean> =>
    (await vectorIndexState(main)) !== undefined &&
    isTuningDue(await readTuning(root), await main.countRows());
  return {
    note: (questions) => {
      asked = [...asked, ...questions].slice(-questionCount);
    },
    samples: async (main) =>
      asked.length < questionCount && (await isDue(main)) ? sampleTexts(main, questionCount) : [],
    tune: async (main, encoder, { questions, depth, now }) => {
      if (!(await isDue(main))) return null;
      const real = [...asked, ...questions].slice(0, questionCount);
      const made = await perturbed(main, questionCount - real.length);
      const all = [...real, ...made].map((each) => (encoder.metric === 'cosine' ? toUnit(each) : each));
      const rows = await main.countRows();
      const tried = await trySettings({ main, rows, metric: encoder.metric, questions: all, depth });
      const tuning = decide(tried, { depth, rows, queries: all.length, now });
      await writeTuning(root, tuning);
      return tuning;
    },
  };
}

function decide(
  tried: Awaited<ReturnType<typeof trySettings>>,
  measured: { readonly depth: number; readonly rows: number; readonly queries: number; readonly now: Date },
): Tuning {
  const { now, rows, ...rest } = measured;
  const best = cheapest(tried);
  return {
    kind: 'ivf_rq',
    search: best === undefined ? 'exact' : 'compressed',
    nprobes: best?.nprobes ?? everyPartition(rows),
    refine: best?.refine ?? 1,
    recall: best?.recall ?? 1,
    rows,
    ...rest,
    at: now.toISOString(),
  };
}

/** Rows at even distances. */
async function sampleRows(main: Table, columns: readonly string[], count: number): Promise<StoredRow[]> {
  const rows = await main.countRows();
  const offsets = Array.from({ length: Math.min(count, rows) }, (_, at) => Math.floor((at * rows) / count));
  return offsets.length === 0
    ? []
    : main
        .takeOffsets(offsets)
        .select([...columns])
        .toArray();
}

/** The last heading above a passage, or a sentence of it, in turn: short, as questions are. */
async function sampleTexts(main: Table, count: number): Promise<string[]> {
  const rows = await sampleRows(main, ['contents', 'headings', 'title'], count);
  return rows.map((row, at) => {
    const headings = JSON.parse(String(row['headings'])) as string[];
    const text = String(row['contents']).slice(String(row['title']).length + 1);
    const sentence = text.split(/(?<=[.!?。！？])\s*/u).find(({ length }) => length > 20) ?? text;
    return (at % 2 === 0 ? headings.at(-1) : undefined) ?? sentence.slice(0, 300);
  });
}

/** Vectors of passages, moved by half of their length: a question is near to its passages, and is none of them. */
async function perturbed(main: Table, count: number): Promise<Float32Array[]> {
  if (count <= 0) return [];
  const rows = await sampleRows(main, ['vector'], count);
  return rows.map((row, at) => {
    const stored = (row['vector'] as { toArray(): Float32Array | Uint16Array }).toArray();
    const vector = makeReader(stored.length)(stored, 0);
    const random = makeNoise(at + 1);
    const size = Math.hypot(...vector) / 2 / Math.sqrt(vector.length / 3);
    return vector.map((value) => value + size * (2 * random() - 1));
  });
}

/** The same numbers in every run, 0 to 1. */
function makeNoise(seed: number): () => number {
  let state = seed * 48_271;
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
}
