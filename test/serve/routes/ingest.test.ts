/** `/ingest` over HTTP: who may name paths, and how a client is told. */
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { lookAt } from '../../../src/disk/sight.ts';
import { ingestLineSchema } from '../../../src/serve/routes/ingest-request.ts';
import { makeTokens } from '../../../src/serve/access/tokens.ts';
import { errorOf, hashOf, openDocuments } from '../documents.ts';
import { ask, post } from '../open.ts';

test('paths are named by the owner alone: not by a token that a group shares, nor where something else stands', async () => {
  const tokens = makeTokens();
  for (const isShared of [false, true]) {
    await using at = await openDocuments({ isShared }, { tokens, ownerUid: 1 });
    await mkdir(join(at.folder, 'papers'));
    await writeFile(join(at.folder, 'papers/a.md'), 'a');
    const sight = [await lookAt(join(at.folder, 'papers')), await lookAt(join(at.folder, 'papers/a.md'))];
    const body = { id: 'order-17', paths: { inputs: ['papers'], from: at.folder, sight } };
    at.states.set('order-17', { state: 'failed', error: { code: 'aborted', message: 'Cannot: over' } });
    const authorization = `Bearer ${tokens.header}`;
    const byToken = await post(`${at.url}/ingest`, body, {
      headers: { 'content-type': 'application/json', authorization },
    });
    assert.equal(byToken.status, isShared ? 403 : 200);
    const bySocket = await ask(
      {
        socketPath: at.endpoint.socketPath,
        path: '/ingest',
        method: 'POST',
        headers: { 'content-type': 'application/json' },
      },
      JSON.stringify(body),
    );
    assert.equal(bySocket.status, 200, bySocket.text);
    if (isShared) continue;
    const { paths } = at.placed[0] ?? {};
    assert.deepEqual(paths, { inputs: ['papers'], from: at.folder, rehash: false, prune: false });
    const later = {
      ...body,
      id: 'order-18',
      paths: { ...body.paths, sight: [{ ...sight[1], changed: '17' }] },
    };
    const other = await ask(
      {
        socketPath: at.endpoint.socketPath,
        path: '/ingest',
        method: 'POST',
        headers: { 'content-type': 'application/json' },
      },
      JSON.stringify(later),
    );
    assert.deepEqual([other.status, JSON.parse(other.text).error.code], [409, 'other-files']);
  }
});

test('an ingest is told line by line, whoever asks again, and may be cancelled', async () => {
  await using at = await openDocuments();
  const body = { id: 'order-17', files: [{ name: 'a', hash: hashOf('a'), bytes: 1 }] };
  const leaving = new AbortController();
  const first = await post(`${at.url}/ingest`, body, { signal: leaving.signal });
  const reader = first.body?.getReader();
  const decoder = new TextDecoder();
  assert.equal(
    decoder.decode((await reader?.read())?.value),
    '{"ingest":{"id":"order-17","state":"waiting"}}\n',
  );
  const progress = { documentsDone: 1, documentsTotal: 2, chunks: 3, embedded: 3, tokens: 9, failed: 0 };
  at.states.set('order-17', { state: 'running', progress });
  assert.equal(decoder.decode((await reader?.read())?.value), `${JSON.stringify({ progress })}\n`);
  leaving.abort();
  const again = await fetch(`${at.url}/ingest/order-17`, { method: 'DELETE' });
  const lines = (await again.text()).trimEnd().split('\n');
  for (const line of lines) ingestLineSchema.parse(JSON.parse(line));
  assert.match(lines.at(-1) ?? '', /"error":\{"code":"aborted"/);
  assert.deepEqual(await errorOf(await fetch(`${at.url}/ingest/order-99`)), [404, 'not-found']);
  for (const bad of [
    {},
    { id: 'order-20' },
    { ...body, id: '../x' },
    { ...body, files: [{ name: 'a', hash: 'x', bytes: 1 }] },
  ])
    assert.deepEqual(await errorOf(await post(`${at.url}/ingest`, bad)), [422, 'usage']);
});
