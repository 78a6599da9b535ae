import assert from 'node:assert/strict';
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { readGguf } from '../../src/machine/gguf.ts';
import { ggufHeader } from './gguf-file.ts';

const words = Array.from({ length: 150_000 }, (_, index) => `word ${index}`);
const model = {
  'general.architecture': 'qwen3',
  'qwen3.block_count': 36,
  'qwen3.rope.freq_base': 1e6 + 0.5,
  'tokenizer.ggml.tokens': words,
  'tokenizer.ggml.scores': [0.5, 0.25],
  'general.parameter_count': 8_000_000_000n,
  'tokenizer.ggml.add_bos_token': false,
};

async function withFile<T>(bytes: Buffer, use: (path: string) => Promise<T>): Promise<T> {
  await using dir = await mkdtempDisposable(join(tmpdir(), 'rag-gguf-'));
  const path = join(dir.path, 'model');
  await writeFile(path, bytes);
  return await use(path);
}

test('a header is read past its vocabulary, which comes only when it is wanted', async () => {
  await withFile(Buffer.concat([ggufHeader(model), Buffer.alloc(100)]), async (path) => {
    const { metadata, version } = await readGguf(path);
    assert.equal(version, 3);
    assert.equal(metadata.get('general.architecture'), 'qwen3');
    assert.equal(metadata.get('qwen3.block_count'), 36);
    assert.equal(metadata.get('general.parameter_count'), 8_000_000_000n);
    assert.equal(metadata.get('tokenizer.ggml.add_bos_token'), false);
    assert.equal(metadata.has('tokenizer.ggml.tokens'), false);
    const wanted = await readGguf(path, (key) => key.startsWith('tokenizer.'));
    assert.deepEqual(wanted.metadata.get('tokenizer.ggml.tokens'), words);
    assert.deepEqual(wanted.metadata.get('tokenizer.ggml.scores'), [0.5, 0.25]);
  });
});

test('a file that is none, is cut or lies about its sizes is refused with its name', async () => {
  const whole = ggufHeader(model);
  const lying = Buffer.from(whole);
  lying.writeBigUInt64LE(1n << 60n, 24); // the length of the first key
  const broken = {
    none: Buffer.from('PK\u0003\u0004 not a model'),
    cut: whole.subarray(0, 5000),
    lying,
    empty: Buffer.alloc(0),
    old: ggufHeader(model, 1),
  };
  for (const [name, bytes] of Object.entries(broken)) {
    await withFile(bytes, async (path) => {
      await assert.rejects(
        readGguf(path),
        (error: Error & { code?: string }) => error.code === 'bad-document' && error.message.includes(path),
        name,
      );
    });
  }
});
