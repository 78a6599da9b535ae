/** Documents that are sent: as a form, as text, as bytes by their hash. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { type IncomingMessage, request as startRequest } from 'node:http';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { RagError } from '../../../src/errors.ts';
import { uploadAnswerSchema } from '../../../src/serve/routes/upload.ts';
import { errorOf, form, hashOf, openDocuments } from '../documents.ts';
import { post } from '../open.ts';

test('several files of a form are on disk before 202 is said; their names are kept, with folders, and never a path', async () => {
  await using at = await openDocuments();
  const large = new Uint8Array(900_000).fill(7);
  const answer = await fetch(`${at.url}/documents/upload`, {
    method: 'POST',
    body: form({ 'notes/a.md': 'first', '../../b.bin': large }),
  });
  assert.equal(answer.status, 202);
  const { documents } = uploadAnswerSchema.parse(await answer.json());
  assert.deepEqual(
    documents.map(({ id, hash, bytes, state }) => [id, hash, bytes, state]),
    [
      ['uploads//notes/a.md', hashOf('first'), 5, 'pending'],
      ['uploads//b.bin', createHash('sha256').update(large).digest('hex'), 900_000, 'pending'],
    ],
  );
  assert.deepEqual(await at.names(), ['b.bin', 'notes/a.md']);
  assert.deepEqual(await at.incoming(), []);
});

test('a text, a list of them, and what LightRAG sends are documents', async () => {
  await using at = await openDocuments();
  const send = async (body: unknown): Promise<string[]> => {
    const answer = await post(`${at.url}/documents/text`, body);
    assert.equal(answer.status, 202, await answer.clone().text());
    return uploadAnswerSchema.parse(await answer.json()).documents.map(({ name }) => name);
  };
  assert.deepEqual(await send({ title: 'A note', text: 'one' }), ['A note']);
  assert.deepEqual(await send([{ name: 'n.md', text: '# two' }, { text: 'three' }]), [
    'n.md',
    `text-${hashOf('three').slice(0, 12)}`,
  ]);
  assert.deepEqual(await send({ texts: [{ text: 'four', file_source: 'f.txt' }] }), ['f.txt']);
  assert.equal((await at.uploads.read()).get('uploads//A note')?.title, 'A note');
  for (const bad of [{}, { text: '' }, [], { texts: [] }, { text: 7 }])
    assert.deepEqual(await errorOf(await post(`${at.url}/documents/text`, bad)), [422, 'usage']);
});

test('bytes are sent by their hash, only those that are missing, and wrong ones are refused', async () => {
  await using at = await openDocuments();
  const put = (hash: string, body: string): Promise<Response> =>
    fetch(`${at.url}/documents/contents/${hash}`, {
      method: 'PUT',
      headers: { 'content-type': 'application/octet-stream' },
      body,
    });
  const missing = async (): Promise<unknown> =>
    (await post(`${at.url}/documents/missing`, { hashes: [hashOf('a'), hashOf('b')] })).json();
  assert.deepEqual(await missing(), { missing: [hashOf('a'), hashOf('b')] });
  const answer = await put(hashOf('a'), 'a');
  assert.deepEqual([answer.status, await answer.json()], [200, { hash: hashOf('a'), bytes: 1 }]);
  assert.deepEqual(await missing(), { missing: [hashOf('b')] });
  assert.deepEqual(await errorOf(await put(hashOf('b'), 'not b')), [422, 'usage']);
  assert.deepEqual(await errorOf(await put('..%2F..%2Fetc', 'x')), [422, 'usage']);
  assert.deepEqual(await missing(), { missing: [hashOf('b')] });
  assert.deepEqual(await at.incoming(), []);
});

test('what is too large is 413, by its length before a byte is read, and while it comes', async () => {
  await using at = await openDocuments({ maxUploadBytes: 100 });
  const large = 'x'.repeat(101);
  const upload = await fetch(`${at.url}/documents/upload`, { method: 'POST', body: form({ 'a.md': large }) });
  assert.deepEqual(await errorOf(upload), [413, 'too-large']);
  const exact = await fetch(`${at.url}/documents/upload`, {
    method: 'POST',
    body: form({ 'a.md': large.slice(1) }),
  });
  assert.equal(exact.status, 202);
  const put = await fetch(`${at.url}/documents/contents/${hashOf(large)}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/octet-stream' },
    body: large,
  });
  assert.deepEqual(await errorOf(put), [413, 'too-large']);
  const pieces = new ReadableStream({
    start(controller) {
      controller.enqueue(Buffer.from(large));
      controller.close();
    },
  });
  const chunked = await fetch(`${at.url}/documents/contents/${hashOf(large)}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/octet-stream' },
    body: pieces,
    duplex: 'half',
  });
  assert.deepEqual(await errorOf(chunked), [413, 'too-large']);
  assert.deepEqual(await at.incoming(), []);
});

test('a full disk is 507, and a client that leaves half-way leaves nothing', async () => {
  const full = new RagError('disk-full', 'Cannot write: it is full');
  await using at = await openDocuments();
  const left = startRequest(`${at.url}/documents/contents/${hashOf('whole')}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/octet-stream', 'content-length': 500_000 },
  });
  left.on('error', () => undefined);
  left.write(Buffer.alloc(100_000));
  while ((await at.incoming()).length === 0) await pause(10);
  left.destroy();
  while ((await at.incoming()).length > 0) await pause(10);
  assert.deepEqual(await at.names(), []);

  await using broken = await openDocuments();
  Reflect.set(broken.uploads, 'keep', () => Promise.reject(full));
  const answer = await fetch(`${broken.url}/documents/upload`, {
    method: 'POST',
    body: form({ 'a.md': 'x' }),
  });
  assert.deepEqual(await errorOf(answer), [507, 'disk-full']);
});

test('a part that is only by its type a file is called as its field', async () => {
  await using at = await openDocuments();
  const answer = await fetch(`${at.url}/documents/upload`, {
    method: 'POST',
    headers: { 'content-type': 'multipart/form-data; boundary=x' },
    body: '--x\r\nContent-Disposition: form-data; name="notes"\r\nContent-Type: application/octet-stream\r\n\r\nbytes\r\n--x--\r\n',
  });
  assert.equal(answer.status, 202, await answer.clone().text());
  assert.deepEqual(await at.names(), ['notes']);
});

test('a body that is refused in its middle ends its connection: what is left of it is no request', async () => {
  await using at = await openDocuments();
  Reflect.set(at.uploads, 'keep', async (bytes: AsyncIterable<Uint8Array>) => {
    for await (const _ of bytes) throw new RagError('disk-full', 'Cannot write: it is full');
  });
  const asked = startRequest(`${at.url}/documents/contents/${hashOf('x')}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/octet-stream', 'content-length': 5_000_000 },
  });
  asked.on('error', () => undefined);
  asked.write(Buffer.alloc(100_000));
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  assert.deepEqual([answer.statusCode, answer.headers.connection], [507, 'close']);
  asked.destroy();
});

test('a form that holds no file, or another body, is refused', async () => {
  await using at = await openDocuments();
  const body = new FormData();
  body.append('note', 'no file');
  assert.deepEqual(await errorOf(await fetch(`${at.url}/documents/upload`, { method: 'POST', body })), [
    422,
    'usage',
  ]);
  assert.deepEqual(await errorOf(await post(`${at.url}/documents/upload`, {})), [422, 'usage']);
  const other = await fetch(`${at.url}/documents/text`, { method: 'POST', body: form({ 'a.md': 'x' }) });
  assert.deepEqual(await errorOf(other), [415, 'unsupported-media-type']);
  const torn = await fetch(`${at.url}/documents/upload`, {
    method: 'POST',
    headers: { 'content-type': 'multipart/form-data; boundary=x' },
    body: '--x\r\nContent-Disposition: form-data; name="file"; filename="a.md"\r\n\r\nhalf',
  });
  assert.ok(torn.status >= 400, String(torn.status));
  assert.deepEqual(await at.names(), []);
});
