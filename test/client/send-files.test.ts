/** Files that are sent to a supervisor: by their hashes, each content once. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json, text } from 'node:stream/consumers';
import { test } from 'node:test';
import { openConnection } from '../../src/client/connection.ts';
import { sendFiles, type SentFiles } from '../../src/client/send-files.ts';

const refused = { error: { code: 'usage', message: 'Cannot take the upload: other bytes', hint: null } };

/** Sends these to a server that refuses the first `refusals` of them. @returns what it got beside what the client has */
async function send(
  contents: Readonly<Record<string, string>>,
  refusals: number,
): Promise<SentFiles & { readonly got: string[] }> {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'rag-send-'));
  for (const [name, content] of Object.entries(contents)) await writeFile(join(folder.path, name), content);
  const got: string[] = [];
  const server = createServer((asked, reply) => {
    const answer = async (): Promise<void> => {
      if (asked.url === '/documents/missing') {
        const { hashes } = (await json(asked)) as { hashes: string[] };
        return void reply.end(JSON.stringify({ missing: hashes }));
      }
      got.push(await text(asked));
      if (got.length <= refusals) reply.writeHead(422).end(JSON.stringify(refused));
      else reply.end(JSON.stringify({ hash: '', bytes: 0 }));
    };
    void answer();
  }).listen(join(folder.path, '.sock'));
  await once(server, 'listening');
  await using connection = await openConnection({
    socketPath: join(folder.path, '.sock'),
    name: 'job 17',
  });
  const sent = await sendFiles(connection, {
    inputs: { inputs: [folder.path], from: '/' },
    onSent: () => undefined,
    signal: AbortSignal.timeout(10_000),
  });
  server.close();
  server.closeAllConnections();
  return { ...sent, got };
}

test('of files with the same bytes one is sent, and all are named', async () => {
  const { files, failures, got } = await send({ 'a.md': 'same', 'b.md': 'same', 'c.md': 'other' }, 0);
  assert.deepEqual(got.toSorted(), ['other', 'same']);
  assert.deepEqual(files.map(({ name }) => name).toSorted(), ['a.md', 'b.md', 'c.md']);
  assert.deepEqual(failures, []);
});

test('where one of them cannot be sent, another of the same bytes is: what is named is there', async () => {
  const { files, failures, got } = await send({ 'a.md': 'same', 'b.md': 'same', 'c.md': 'same' }, 1);
  assert.deepEqual(got, ['same', 'same']);
  assert.equal(files.length, 2);
  assert.equal(failures.length, 1);
});

test('where all of them are refused all have failed, and nothing is named', async () => {
  const { files, failures } = await send({ 'a.md': 'same', 'b.md': 'same' }, 2);
  assert.deepEqual([files, failures.length], [[], 2]);
});
