import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ErrorCode, RagError } from '../../../src/errors.ts';
import type { Deed } from '../../../src/job/picture/deeds.ts';
import { addDeed, nothingDone } from '../../../src/job/picture/deeds.ts';
import { countOf } from '../../../src/job/picture/latencies.ts';
import { measuredIngest, measuredModels, measuredWork } from '../../../src/job/picture/measured-work.ts';
import type { Embed, Generate } from '../../../src/models/types.ts';
import type { IngestReport, Work } from '../../../src/work.ts';

const signal = new AbortController().signal;
const report: IngestReport = {
  documents: { processed: 5, unchanged: 2, failed: 1, needs_ocr: 1 },
  removed: 0,
  chunks: 30,
  embedded: 28,
  failures: [],
  seconds: 1,
  complete: true,
};
const failure = { document: 'a.pdf', state: 'failed', reason: 'damaged' } as const;

const work: Work = {
  ingest: async ({ onProgress, onFailure, onChunks }) => {
    const progress = { documentsTotal: 9, chunks: 0, failed: 0 };
    onChunks?.(10, 100);
    onProgress?.({ ...progress, documentsDone: 4, embedded: 10, tokens: 100 });
    onFailure?.(failure);
    onChunks?.(20, 200);
    onProgress?.({ ...progress, documentsDone: 8, embedded: 30, tokens: 300 });
    return report;
  },
  retrieve: async ({ queries }) => queries.map(() => []),
  query: () => Promise.reject(new RagError('model-unavailable', 'Cannot generate')),
};

function measured(): { readonly work: Work; readonly deeds: Deed[] } {
  const deeds: Deed[] = [];
  const tell = (deed: Deed): void => void deeds.push(deed);
  return {
    work: { ...measuredWork(work, tell), ingest: measuredIngest((request) => work.ingest(request), tell) },
    deeds,
  };
}

test('an ingest is counted as it goes on, and what its progress did not tell at its end', async () => {
  const { work: told, deeds } = measured();
  const seen: number[] = [];
  const failures: unknown[] = [];
  await told.ingest({
    inputs: [],
    signal,
    onProgress: ({ documentsDone }) => seen.push(documentsDone),
    onFailure: (each) => failures.push(each),
  });
  assert.deepEqual([seen, failures], [[4, 8], [failure]], 'the caller hears what it asked for');
  assert.deepEqual(deeds, [
    { deed: 'ingested', documents: 0, chunks: 10, tokens: 100 },
    { deed: 'ingested', documents: 4, chunks: 0, tokens: 0 },
    { deed: 'set-aside', failure },
    { deed: 'ingested', documents: 0, chunks: 20, tokens: 200 },
    { deed: 'ingested', documents: 4, chunks: 0, tokens: 0 },
    { deed: 'ingested', documents: 1, chunks: 0, tokens: 0 },
    { deed: 'ingest-ended', complete: true },
  ]);
  const { documents, chunks, tokens, failed } = deeds.reduce(addDeed, nothingDone);
  assert.deepEqual([documents, chunks, tokens, failed], [9, 30, 300, 1]);
});

test('an ingest without progress is asked for none: that would list all inputs once more', async () => {
  const deeds: Deed[] = [];
  let asked: unknown = 'nothing';
  const ingest = measuredIngest(
    (request) => ((asked = request.onProgress), work.ingest(request)),
    (deed) => deeds.push(deed),
  );
  await ingest({ inputs: [], signal });
  assert.equal(asked, undefined);
  const { documents, chunks, tokens } = deeds.reduce(addDeed, nothingDone);
  assert.deepEqual([documents, chunks, tokens], [9, 30, 300]);
});

test('one beside the ingest of the run is counted, and does not end it', async () => {
  const { work: told, deeds } = measured();
  await told.ingest({ inputs: [], beside: true, signal });
  assert.equal(deeds.filter(({ deed }) => deed === 'ingest-ended').length, 0);
  assert.equal(deeds.reduce(addDeed, nothingDone).failed, 1);
});

test('retrievals count by their queries, questions by their time, and what failed by its code', async () => {
  const { work: told, deeds } = measured();
  await told.retrieve({ queries: ['a', 'b', 'c'], topk: 1, signal });
  await assert.rejects(told.query({ query: 'a', topk: 1, signal }), { code: 'model-unavailable' });
  assert.equal(countOf(deeds.reduce(addDeed, nothingDone).retrievals), 3);
  assert.deepEqual(deeds[1], { deed: 'not-answered', what: 'question', code: 'model-unavailable' });
});

test('who leaves was not left without an answer, nor a retrieval that is tried again', async () => {
  const deeds: Deed[] = [];
  const failing = (code: ErrorCode) => (): Promise<never> =>
    Promise.reject(new RagError(code, 'Cannot answer'));
  const told = (code: ErrorCode): Work =>
    measuredWork<Work>({ ...work, retrieve: failing(code), query: failing(code) }, (deed) =>
      deeds.push(deed),
    );
  const asked = { queries: ['a'], query: 'a', topk: 1 };
  await assert.rejects(told('aborted').query({ ...asked, signal: AbortSignal.abort() }));
  await assert.rejects(told('service-failed').retrieve({ ...asked, signal }));
  assert.deepEqual(deeds, []);
  await assert.rejects(told('bad-vector').retrieve({ ...asked, signal }));
  assert.deepEqual(deeds, [{ deed: 'not-answered', what: 'retrieval', code: 'bad-vector' }]);
});

test('models tell what they embedded and generated, also of an answer that nobody read to its end', async () => {
  const deeds: Deed[] = [];
  const { embed, generate } = measuredModels<{ embed: Embed; generate: Generate }>(
    {
      embed: async ({ texts }) => texts.map(() => new Float32Array(1)),
      generate: async function* ({ onPromptTokens }) {
        yield 'It ';
        yield 'is ';
        onPromptTokens?.(77);
        yield 'so.';
      },
    },
    (deed) => deeds.push(deed),
  );
  await embed({ texts: ['a', 'b'], kind: 'passage', signal });
  const prompts: number[] = [];
  for await (const piece of generate({
    messages: [],
    maxTokens: 9,
    signal,
    onPromptTokens: (n) => prompts.push(n),
  }))
    if (piece === 'so.') break;
  for await (const _ of generate({ messages: [], maxTokens: 9, signal })) break;
  assert.deepEqual(
    deeds.map((deed) =>
      deed.deed === 'generated' ? [deed.pieces, deed.promptTokens] : deed.deed === 'embedded' && deed.texts,
    ),
    [2, [3, 77], [1, 0]],
  );
  assert.deepEqual(prompts, [77]);
  assert.equal(measuredModels({ embed: undefined, generate: undefined }, () => undefined).embed, undefined);
});
