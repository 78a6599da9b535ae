/** What is kept of an evaluation, so that another can make the same figures: the manifest, runs, answers. */
import { createHash, hash } from 'node:crypto';
import { constants, createReadStream } from 'node:fs';
import { access, mkdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';

import { writeAtomic } from '../../disk/atomic.ts';
import { messageOf, RagError } from '../../errors.ts';
import type { Collection } from '../../query/eval/collection.ts';
import type { AnswerResult, Answered, RetrievalResult } from '../../query/eval/evaluate.ts';
import { rankAsTrecEval } from '../../query/eval/measures.ts';
import { DRAWS } from '../../query/eval/statistics.ts';
import { printRun, type Run } from '../../query/eval/trec.ts';
import type { Measured } from './evaluation.ts';

/** The object of `--json` (SPEC 13). */
export interface EvaluationRecord {
  readonly stages: RetrievalResult['stages'];
  readonly comparisons: RetrievalResult['comparisons'];
  /** Empty where no answer is wanted. */
  readonly answers: AnswerResult['figures'];
  readonly manifest: Readonly<Record<string, unknown>>;
}

export interface ManifestInput {
  readonly collection: Collection;
  /** Files that were read beside the collection's, e.g. a run. */
  readonly alsoRead: readonly string[];
  readonly version: string;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly seed: number;
  readonly depth: number;
  readonly topk: number;
  readonly runs: ReadonlyMap<string, Run>;
  /** Undefined: only a run from a file was measured. */
  readonly measured: Measured | undefined;
  readonly counts: Readonly<Record<string, number>>;
  readonly notes: readonly string[];
  readonly now: Date;
}

export async function makeManifest(input: ManifestInput): Promise<Record<string, unknown>> {
  const { collection, measured, runs } = input;
  return {
    program: { name: 'rag-allinone', version: input.version, node: process.version },
    created: input.now.toISOString(),
    collection: { name: collection.name, files: await digests([...collection.files, ...input.alsoRead]) },
    counts: input.counts,
    measures: {
      as: 'trec_eval 9 with -c, linear gain; questions without a relevant document left out',
      documents: 'scored by their best passage',
      depth: input.depth,
      topk: input.topk,
    },
    statistics: {
      seed: input.seed,
      draws: DRAWS,
      interval: '95 %, percentile bootstrap over questions',
      test: 'paired randomisation, two-sided; p_holm corrected over all pairs',
    },
    settings: measured === undefined ? {} : input.settings,
    engine: measured?.engine ?? null,
    models: measured?.models ?? [],
    index:
      measured === undefined
        ? null
        : {
            documents: measured.index.documents.processed,
            chunks: measured.index.chunks,
            embedding: measured.index.embedding,
          },
    runs: Object.fromEntries([...runs].map(([stage, run]) => [stage, hash('sha256', runText(stage, run))])),
    notes: input.notes,
  };
}

async function digests(files: readonly string[]): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const file of files) {
    const digest = createHash('sha256');
    for await (const piece of createReadStream(file) as AsyncIterable<Buffer>) digest.update(piece);
    found[file] = digest.digest('hex');
  }
  return found;
}

/** trec_eval of the file gives the figures that we print. */
const runText = (stage: string, run: Run): string => printRun(run, `rag-${stage}`, rankAsTrecEval);

/** @throws disk-full, preflight */
export async function writeRun(file: string, stage: string, run: Run): Promise<void> {
  await written(file, () => writeAtomic(file, runText(stage, run), 0o644));
}

export interface EvaluationOutput {
  readonly record: EvaluationRecord;
  readonly runs: ReadonlyMap<string, Run>;
  readonly answers: readonly Answered[];
}

/**
 * Asked before hours of work: whether the results can be kept.
 *
 * @param folder made unless it is there
 * @param file its folder must be there
 * @throws preflight
 */
export async function checkPlaces(folder: string | undefined, file: string | undefined): Promise<void> {
  if (folder !== undefined)
    await written(folder, async () => {
      await mkdir(folder, { recursive: true });
      await access(folder, constants.W_OK | constants.X_OK);
    });
  if (file !== undefined) await written(file, () => access(dirname(resolve(file)), constants.W_OK));
}

/** `results.json`, `manifest.json`, `run-<stage>.trec`, `answers.jsonl`. */
export async function writeEvaluation(
  folder: string,
  { record, runs, answers }: EvaluationOutput,
): Promise<void> {
  await written(folder, async () => {
    for (const [stage, run] of runs) await writeRun(join(folder, `run-${stage}.trec`), stage, run);
    if (answers.length > 0) {
      const rows = answers.map(({ question: { id, text }, answer }) => ({ id, question: text, answer }));
      const lines = rows.map((row) => `${JSON.stringify(row)}\n`).join('');
      await writeAtomic(join(folder, 'answers.jsonl'), lines, 0o644);
    }
    await writeJson(join(folder, 'results.json'), record);
    // Last: a folder that has a manifest is whole.
    await writeJson(join(folder, 'manifest.json'), record.manifest);
  });
}

const writeJson = (file: string, value: unknown): Promise<void> =>
  writeAtomic(file, `${JSON.stringify(value, null, 2)}\n`, 0o644);

async function written(path: string, write: () => Promise<void>): Promise<void> {
  try {
    await write();
  } catch (cause) {
    if (cause instanceof RagError) throw cause;
    throw new RagError('preflight', `Cannot write ${path}: ${messageOf(cause)}, a place of yours is wanted`, {
      hint: 'node dist/supervisor.js eval DIR --out $HOME/evaluation',
      cause,
    });
  }
}
