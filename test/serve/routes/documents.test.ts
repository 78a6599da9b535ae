/** `/documents` over HTTP: the list, the removal, and who may. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RagError } from '../../../src/errors.ts';
import { documentsAnswerSchema, removedAnswerSchema } from '../../../src/serve/routes/documents.ts';
import { makeTokens } from '../../../src/serve/access/tokens.ts';
import { errorOf, form, hashOf, openDocuments } from '../documents.ts';
import { ask, post } from '../open.ts';

test('the list has its contract, pages follow each other, and bad questions are refused', async () => {
  await using at = await openDocuments();
  const page = async (query: string) => {
    const answer = await fetch(`${at.url}/documents?${query}`);
    assert.equal(answer.status, 200);
    return documentsAnswerSchema.parse(await answer.json());
  };
  const first = await page('limit=2');
  assert.deepEqual(
    first.documents.map(({ id }) => id),
    ['a.md', 'b/c d#e.md'],
  );
  const second = await page(`limit=2&cursor=${first.next}`);
  assert.deepEqual([second.documents.map(({ id }) => id), second.next], [['z.md'], null]);
  for (const bad of ['limit=0', 'limit=1001', 'state=lost', 'limit=x'])
    assert.deepEqual(await errorOf(await fetch(`${at.url}/documents?${bad}`)), [422, 'usage'], bad);
});

test('an id is taken as it stands in the path, slashes, number signs, percents and all', async () => {
  await using at = await openDocuments();
  for (const id of ['uploads//a.md', 'b/c d#e.md', 'a%23b', '..', 'x'.repeat(900), 'ü/é']) {
    const path = `/documents/${encodeURIComponent(id)}`;
    const answer = await ask({ socketPath: at.endpoint.socketPath, path });
    assert.equal((JSON.parse(answer.text) as { id: string }).id, id);
    const gone = await ask({ socketPath: at.endpoint.socketPath, path, method: 'DELETE' });
    assert.deepEqual(removedAnswerSchema.parse(JSON.parse(gone.text)), { removed: 1, documents: [id] });
  }
  const unescaped = await fetch(`${at.url}/documents/uploads//a.md`, { method: 'DELETE' });
  assert.equal(unescaped.status, 200);
  assert.deepEqual(at.removed.at(-1), { ids: ['uploads//a.md'] });
  for (const method of ['GET', 'DELETE'])
    assert.deepEqual(await errorOf(await fetch(`${at.url}/documents/never`, { method })), [404, 'not-found']);
  const dry = await post(`${at.url}/documents/remove`, { names: ['drafts/**'], dry_run: true });
  assert.deepEqual(await dry.json(), { removed: 0, documents: ['drafts/**'] });
});

test('where the documents do not change nothing is taken or removed, and the list is there', async () => {
  const frozen = new RagError('frozen', 'Cannot change the documents of this job: it is a workload');
  await using at = await openDocuments({ frozen });
  const refused = [
    fetch(`${at.url}/documents/upload`, { method: 'POST', body: form({ 'a.md': 'x' }) }),
    post(`${at.url}/documents/text`, { text: 'x' }),
    post(`${at.url}/documents/remove`, { names: ['a.md'] }),
    post(`${at.url}/ingest`, { id: 'order-17', files: [{ name: 'a', hash: hashOf('a'), bytes: 1 }] }),
    fetch(`${at.url}/documents/a.md`, { method: 'DELETE' }),
    fetch(`${at.url}/documents/contents/${hashOf('a')}`, {
      method: 'PUT',
      headers: { 'content-type': 'application/octet-stream' },
      body: 'a',
    }),
  ];
  for (const answer of refused) assert.deepEqual(await errorOf(await answer), [409, 'frozen']);
  assert.equal((await fetch(`${at.url}/documents`)).status, 200);
  assert.deepEqual([at.removed, at.placed, await at.names()], [[], [], []]);
});

test('no web page may send a form, and the token of an address opens none of it', async () => {
  const tokens = makeTokens();
  await using at = await openDocuments({}, { tokens, ownerUid: 1 });
  const { socketPath } = at.endpoint;
  const headers = { 'content-type': 'multipart/form-data; boundary=x', origin: 'http://127.0.0.1' };
  const page = await ask({ socketPath, path: '/documents/upload', method: 'POST', headers }, '--x--');
  assert.equal(page.status, 403);
  for (const path of ['/documents', '/documents/a.md', '/ingest/order-17'])
    assert.equal((await fetch(`${at.url}/t/${tokens.url}${path}`)).status, 403, path);
  for (const path of ['/documents/text', '/documents/remove', '/ingest'])
    assert.equal((await post(`${at.url}/t/${tokens.url}${path}`, {})).status, 403, path);
  assert.equal((await fetch(`${at.url}/documents`)).status, 401);
  const shown = await fetch(`${at.url}/documents`, { headers: { authorization: `Bearer ${tokens.header}` } });
  assert.equal(shown.status, 200);
});
