/** `Work` that tells what it does. */
import { codeOf } from '../../errors.ts';
import type { Embed, Generate } from '../../models/types.ts';
import type { IngestProgress, Work } from '../../work.ts';
import { canWait } from '../../serve/routes/retrieve.ts';
import type { Deed } from './deeds.ts';

type Tell = (deed: Deed) => void;

export const measuredWork = <W extends Work>(work: W, tell: Tell): W => ({
  ...work,
  retrieve: async (request) => {
    const seconds = stopwatch();
    const hits = await work.retrieve(request).catch(notAnswered('retrieval', tell, request.signal));
    tell({ deed: 'retrieved', queries: request.queries.length, seconds: seconds() });
    return hits;
  },
  query: async (request) => {
    const seconds = stopwatch();
    const record = await work.query(request).catch(notAnswered('question', tell, request.signal));
    tell({ deed: 'answered', seconds: seconds(), timingsMs: record.timings_ms });
    return record;
  },
});

const stopwatch = (): (() => number) => {
  const started = performance.now();
  return () => (performance.now() - started) / 1000;
};

/** Not who left, and no retrieval that is tried again until it is answered. */
const notAnswered =
  (what: 'question' | 'retrieval', tell: Tell, signal: AbortSignal) =>
  (error: unknown): never => {
    const goesOn = what === 'retrieval' && canWait(error);
    if (!signal.aborted && !goesOn) tell({ deed: 'not-answered', what, code: codeOf(error) ?? 'bug' });
    throw error;
  };

/**
 * Every ingest of a run, of uploads and of what clients ask for too. Documents are told as it goes on where its progress is asked
 * for: asking for it costs another listing. At its end otherwise.
 */
export const measuredIngest =
  (ingest: Work['ingest'], tell: Tell): Work['ingest'] =>
  async (request) => {
    const { onProgress, onFailure, onChunks } = request;
    let told = 0;
    const tellUpTo = (done: number): void => {
      if (done > told) tell({ deed: 'ingested', documents: done - told, chunks: 0, tokens: 0 });
      told = done;
    };
    const report = await ingest({
      ...request,
      ...(onProgress && {
        onProgress: (progress: IngestProgress) => {
          tellUpTo(progress.documentsDone);
          onProgress(progress);
        },
      }),
      onChunks: (chunks, tokens) => {
        tell({ deed: 'ingested', documents: 0, chunks, tokens });
        onChunks?.(chunks, tokens);
      },
      onFailure: (failure) => {
        tell({ deed: 'set-aside', failure });
        onFailure?.(failure);
      },
    });
    const { processed, unchanged, failed, needs_ocr } = report.documents;
    tellUpTo(processed + unchanged + failed + needs_ocr);
    // One that goes on beside the run's own says nothing of what else there is.
    if (request.beside !== true) tell({ deed: 'ingest-ended', complete: report.complete });
    return report;
  };

/** Models that tell what they do. */
export const measuredModels = <
  M extends { readonly embed: Embed | undefined; readonly generate: Generate | undefined },
>(
  models: M,
  tell: Tell,
): M => ({
  ...models,
  embed: models.embed && measuredEmbed(models.embed, tell),
  generate: models.generate && measuredGenerate(models.generate, tell),
});

const measuredEmbed =
  (embed: Embed, tell: Tell): Embed =>
  async (request) => {
    const seconds = stopwatch();
    const vectors = await embed(request);
    tell({ deed: 'embedded', kind: request.kind, texts: request.texts.length, seconds: seconds() });
    return vectors;
  };

const measuredGenerate = (generate: Generate, tell: Tell): Generate =>
  async function* measured(request) {
    const seconds = stopwatch();
    let [firstPieceSeconds, pieces, promptTokens] = [null as number | null, 0, 0];
    const onPromptTokens = (tokens: number): void => {
      promptTokens = tokens;
      request.onPromptTokens?.(tokens);
    };
    try {
      for await (const piece of generate({ ...request, onPromptTokens })) {
        firstPieceSeconds ??= seconds();
        pieces += 1;
        yield piece;
      }
    } finally {
      tell({ deed: 'generated', seconds: seconds(), firstPieceSeconds, pieces, promptTokens });
    }
  };
