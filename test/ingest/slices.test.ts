import assert from 'node:assert/strict';
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { mayNeedSlicing, type Slice, sliceRows } from '../../src/ingest/slices.ts';

async function slicesOf(content: string): Promise<{ bytes: Buffer; slices: Slice[] }> {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'slices-'));
  const path = join(folder.path, 'corpus');
  const bytes = Buffer.from(content);
  await writeFile(path, bytes);
  const slices: Slice[] = [];
  for await (const slice of sliceRows(path, bytes.length)) slices.push(slice);
  return { bytes, slices };
}

test('a corpus is cut between rows into slices that together are the file', async () => {
  const row = (n: number): string =>
    `${JSON.stringify({ id: `r${n}`, contents: `T\n${'x\u2028'.repeat(n % 700)}` })}\n`;
  const content = Array.from({ length: 3000 }, (_, n) => row(n)).join('');
  for (const text of [content, content.trimEnd()]) {
    const { bytes, slices } = await slicesOf(text);
    assert.ok(slices.length > 2);
    let at = 0;
    for (const { from, to } of slices) {
      assert.equal(from, at);
      assert.ok(to === bytes.length || bytes[to - 1] === 0x0a);
      at = to;
    }
    assert.equal(at, bytes.length);
  }
});

test('a file of other rows has no slices', async () => {
  assert.deepEqual((await slicesOf('{"q":1}\n')).slices, []);
});

test('only large files and those named as rows are looked into', () => {
  assert.deepEqual(
    [mayNeedSlicing('a.jsonl', 1), mayNeedSlicing('a.json', 1), mayNeedSlicing('a', 2 ** 21)],
    [true, false, true],
  );
});
