/** An RL run asks for hundreds of passages at once while services die: it gets what it would have got. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startProgram, until } from './program.ts';

const folder = mkdtempSync(join(tmpdir(), 'rag-restarts-'));
after(() => rmSync(folder, { recursive: true }));

const rows = Array.from({ length: 300 }, (_, i) => ({
  id: i,
  contents: `"Report ${i}"\nThe turbine ${i % 17} of harbour ${i % 31} was inspected in year ${1900 + i}.`,
}));
const queries = Array.from({ length: 512 }, (_, i) => `turbine ${i % 17} in year ${1900 + (i % 300)}, ${i}`);

interface Status {
  readonly retrieval: { readonly queries: number; readonly computed: number; readonly cached: number };
  readonly progress: { readonly documents_done: number };
  readonly services: readonly { readonly id: string; readonly pid: number; readonly restarts: number }[];
}

interface Retrieved {
  readonly result: readonly (readonly { readonly document: { readonly id: string } }[])[];
}

async function retrieve(url: string, topk: number): Promise<string[][]> {
  const answer = await fetch(`${url}/retrieve`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ queries, topk, return_scores: true }),
  });
  assert.equal(answer.status, 200);
  const { result } = (await answer.json()) as Retrieved;
  return result.map((hits) => hits.slice(0, 3).map(({ document }) => document.id));
}

test('hundreds of queries are answered as ever while embedder and store host are killed, and the next time from the cache', async () => {
  const corpus = join(folder, 'corpus.jsonl');
  writeFileSync(corpus, rows.map((row) => JSON.stringify(row)).join('\n'));
  const env = {
    RAG_ENGINE: 'embedded',
    RAG_SHARED_ROOT: folder,
    LOG_ROOT: join(folder, 'logs'),
    TMPDIR: folder,
    RAG_WATCH_SECONDS: '0',
  };
  const serving = startProgram(['run', '--mode', 'serve', '--input-file', corpus], { env });
  const early = serving.ended.then(({ stderr }) => assert.fail(`it ended by itself:\n${stderr}`));
  early.catch(() => {});
  try {
    const url = await Promise.race([early, until('the service', 40_000, () => urlIn(folder))]);
    const status = async (): Promise<Status> => (await (await fetch(`${url}/status`)).json()) as Status;
    await until('all documents', 40_000, async () =>
      (await status()).progress.documents_done === rows.length ? true : undefined,
    );
    const expected = await retrieve(url, 3);
    assert.equal(new Set(expected.flat()).size > 200, true, 'the queries find different rows');

    const again = { ended: false };
    const asked = retrieve(url, 4).finally(() => (again.ended = true));
    asked.catch(() => {});
    await sleep(150); // no event tells that a request is being worked on
    const { services } = await status();
    const victims = services.filter(({ id }) => id === 'store' || id.endsWith('-embed'));
    assert.equal(victims.length, 2, JSON.stringify(services));
    for (const { pid } of victims) process.kill(pid, 'SIGKILL');
    assert.equal(again.ended, false, 'they were killed in the middle');
    assert.deepEqual(await asked, expected);
    for (const { id } of victims)
      assert.equal((await status()).services.find((service) => service.id === id)?.restarts, 1, id);

    assert.deepEqual(await retrieve(url, 4), expected);
    const { queries: all, computed, cached } = (await status()).retrieval;
    assert.deepEqual(
      [all, computed, cached],
      [3, 2, 1].map((times) => times * queries.length),
    );
  } finally {
    process.kill(serving.pid, 'SIGTERM');
    await serving.ended;
  }
});

function urlIn(root: string): string | undefined {
  try {
    const text = readFileSync(join(root, 'runtime/ollama_service.json'), 'utf8');
    return (JSON.parse(text) as { url: string }).url;
  } catch {
    return undefined;
  }
}
