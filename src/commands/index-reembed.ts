import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';

import { load } from '../config/load.ts';
import type { Settings } from '../config/settings.ts';
import { RagError } from '../errors.ts';
import { withIndex } from '../job/index/index-store.ts';
import { makeExitCode, makeSummary, outcomeText } from '../job/life/outcome.ts';
import {
  assertUnchanged,
  copyTexts,
  finishSwap,
  putInPlace,
  reembedPlaces,
  type Places,
} from '../job/index/reembed.ts';
import { assertKept } from '../job/prepare/trial.ts';
import { countsText } from '../observe/counts.ts';
import { failureLine } from '../observe/failures.ts';
import { openProgress } from '../observe/progress.ts';
import { passagesName } from '../store/export/exported.ts';
import { holding } from '../store/consolidate/turn.ts';
import type { IngestReport } from '../work.ts';
import { withServicesHere } from './here.ts';
import type { VerbInput } from './verb.ts';

/** New vectors by the encoder in force for all that the index holds, in a new index that takes its place. */
export async function reembedIndex(input: VerbInput, words: readonly string[]): Promise<number> {
  if (words.length > 0) throw allOfIt(words);
  const { line, environment } = input;
  const { settings } = load({ flags: line.settings, environment, file: line.values['config'] });
  const places = await reembedPlaces(settings.RAG_WORKING_DIR);
  if (!existsSync(join(places.index, 'index.json')) && !existsSync(places.whole)) throw noIndex(places);
  const exit = await holding(places.claim, () => reembedHeld(input, places));
  if (typeof exit === 'string') throw underWay(places);
  return exit;
}

async function reembedHeld(input: VerbInput, places: Places): Promise<number> {
  const { line, environment, signal, print, tell } = input;
  await finishSwap(places);
  const version = await withIndex(places.index, environment, signal, (store) =>
    copyTexts(store, places, signal),
  );
  const done = await embedAnew(input, places);
  const { report } = done;
  if (report === undefined) await rm(places.fresh, { recursive: true });
  let before: string | null = null;
  if (report !== undefined && done.exit === 0) {
    const unchanged = (): Promise<void> =>
      withIndex(places.index, environment, signal, (store) => assertUnchanged(store, version));
    await unchanged(); // before the work of putting it there
    before = await putInPlace(places, new Date(), unchanged);
  }
  const replaced = before !== null && line.switches.has('replace') && report?.failures.length === 0;
  if (before !== null && replaced) await rm(before, { recursive: true });
  const kept = replaced ? null : before;
  if (line.switches.has('json'))
    print(JSON.stringify({ ...makeSummary(report ?? null, report?.seconds ?? 0, done.exit), before: kept }));
  else print(reportText(report, kept));
  if (done.exit !== 0)
    tell(
      outcomeText(
        done.exit,
        { ingest: report ?? null, workLeft: report?.complete === false },
        done.tolerated,
      ),
    );
  return done.exit;
}

interface Done {
  /** Undefined: there was nothing to do. */
  readonly report: IngestReport | undefined;
  readonly exit: number;
  readonly tolerated: Settings['RAG_MAX_FAILED'];
}

function embedAnew(input: VerbInput, { fresh, texts }: Places): Promise<Done> {
  const { line } = input;
  const settings = {
    ...line.settings,
    RAG_WORKING_DIR: fresh,
    RAG_INPUT_FILE: join(texts, passagesName),
    RAG_WORKER_MODE: 'ingest',
  };
  // What a job would ingest is not what is embedded here.
  const environment = { ...input.environment, RAG_CORPUS: undefined, RAG_DB_DIR: undefined };
  const words = { ...line, positionals: [], settings };
  return withServicesHere({ ...input, environment }, words, async ({ work, prepared }, stop) => {
    assertKept(prepared, 'reembed the index');
    using bar = openProgress(input);
    const report = await work.reembed({ texts, onProgress: (progress) => bar.show(progress), signal: stop });
    const { RAG_MAX_FAILED: tolerated } = prepared.settings;
    const exit =
      report === undefined ? 0 : makeExitCode({ ingest: report, workLeft: !report.complete }, tolerated);
    return { report, exit, tolerated };
  });
}

function reportText(report: IngestReport | undefined, before: string | null): string {
  if (report === undefined) return 'nothing to do: the encoder in force has made this index';
  const lines = [countsText(report), ...report.failures.map((failure) => `  ${failureLine(failure)}`)];
  if (before !== null) lines.push(`the index as it was: ${before}   # rm -r it when nobody needs it`);
  return lines.join('\n');
}

const allOfIt = (words: readonly string[]): RagError =>
  new RagError('usage', `Cannot reembed ${words.join(' ')}: all of an index is by one encoder`, {
    hint: 'node dist/supervisor.js index reembed',
  });

const noIndex = ({ index }: Places): RagError =>
  new RagError('no-input', `Cannot reembed ${index}: there is no index in it, one is wanted`, {
    hint: 'node dist/supervisor.js index reembed --working-dir DIR',
  });

const underWay = ({ index, claim }: Places): RagError =>
  new RagError('stopped', `Cannot reembed ${index}: another run is at it, its end is wanted`, {
    hint: `cat ${claim}   # who it is; of another node it counts as gone two minutes after its last sign`,
  });
