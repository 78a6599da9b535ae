import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { GgufValue } from '../../src/machine/gguf.ts';
import { makeTokenizer } from '../../src/tokens/tokenizer.ts';
import { bytePieces, byteModel, pieceModel, pieceScores } from './tiny-models.ts';

const tokenizerOf = (model: Readonly<Record<string, GgufValue>>): ((text: string) => number) =>
  makeTokenizer(new Map(Object.entries(model)));

/** Byte-level BPE of one piece, as simply as it can be said: the merge that comes first in the list goes first. */
function mergedPieces(word: string, merges: readonly string[]): number {
  const parts = [...Buffer.from(word)].map((byte) => bytePieces[byte] ?? '');
  for (;;) {
    const pairs = parts.slice(1).map((part, at) => merges.indexOf(`${parts[at]} ${part}`));
    const best = Math.min(...pairs.filter((rank) => rank >= 0));
    if (!Number.isFinite(best)) return parts.length;
    const at = pairs.indexOf(best);
    parts.splice(at, 2, `${parts[at]}${parts[at + 1]}`);
  }
}

/** SentencePiece, as simply as it can be said: the two neighbours that make the best piece become one. */
function scoredPieces(text: string, scores: ReadonlyMap<string, number>): number {
  const parts = Array.from(text.replaceAll(' ', '▁'));
  for (;;) {
    const pairs = parts.slice(1).map((part, at) => scores.get(`${parts[at]}${part}`) ?? -Infinity);
    const best = Math.max(...pairs);
    if (!Number.isFinite(best)) break;
    const at = pairs.indexOf(best);
    parts.splice(at, 2, `${parts[at]}${parts[at + 1]}`);
  }
  return parts.reduce((sum, part) => sum + (scores.has(part) ? 1 : Buffer.byteLength(part)), 0);
}

const texts = fc
  .array(
    fc.constantFrom('the', 'then', ' the', ' hen', 'a', ' ', '\n', '12', 'é', '漢', '😀', '.', 'THE', "'s"),
    { maxLength: 12 },
  )
  .map((pieces) => pieces.join(''));

test('a byte-level vocabulary is merged in the order of its list', () => {
  const count = tokenizerOf(byteModel('qwen2'));
  const split =
    /(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+/gu;
  fc.assert(
    fc.property(texts, (text) => {
      const words = text.match(split) ?? [];
      const expected = words.reduce(
        (sum, word) => sum + mergedPieces(word, byteModel('qwen2')['tokenizer.ggml.merges']),
        0,
      );
      assert.equal(count(text), expected, JSON.stringify(text));
    }),
  );
});

test('pieces are merged by their scores, and what is no piece counts its bytes', () => {
  const count = tokenizerOf(pieceModel);
  fc.assert(
    fc.property(texts, (text) =>
      assert.equal(count(text), scoredPieces(text, pieceScores), JSON.stringify(text)),
    ),
  );
});

test('a vocabulary that puts a space in front counts it', () => {
  const count = tokenizerOf({ ...pieceModel, 'tokenizer.ggml.add_space_prefix': true });
  assert.equal(count('the'), scoredPieces(' the', pieceScores));
});

test('numbers are split as the family of the model splits them', () => {
  const digits = (pre: string): number => tokenizerOf(byteModel(pre, ['1 2', '12 3', '123 4']))('1234567');
  assert.equal(digits('qwen2'), 7);
  assert.equal(digits('llama-bpe'), 5, '123 456 7, of which only the first is merged');
  assert.equal(digits('gpt-2'), 4, '1234567 whole: 1234 5 6 7');
});

for (const pre of ['llama-bpe', 'dbrx', 'qwen2', 'qwen35', 'gpt-4o', 'tekken', 'gpt-2', 'starcoder'])
  test(`nothing of a text is lost where it is split as ${pre} does: without merges each byte is a token`, () => {
    const count = tokenizerOf(byteModel(pre, []));
    const text = "Don't, DON'T: 1234 é e\u0301 漢字 HelloWorld\r\n\n\tx  y 😀 ١٢٣ हिन्दी  ";
    assert.equal(count(text), Buffer.byteLength(text));
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (any) => assert.equal(count(any), Buffer.byteLength(any))),
    );
  });

test('control tokens in a text are one token each, as the server takes them', () => {
  const count = tokenizerOf(byteModel('qwen2'));
  assert.equal(count('<|im_end|>'), 1);
  assert.equal(count('a<|im_end|>a'), 3);
  assert.equal(count(''), 0);
});

const unknown: [string, Readonly<Record<string, GgufValue>>, RegExp][] = [
  ['of another family', byteModel('deepseek-v9'), /its pre-tokenizer is deepseek-v9/],
  ['of another kind', { ...byteModel('qwen2'), 'tokenizer.ggml.model': 'rwkv' }, /of the kind rwkv/],
  ['without merges', { ...byteModel('qwen2'), 'tokenizer.ggml.merges': 0 }, /no tokenizer\.ggml\.merges/],
  ['without scores', { ...pieceModel, 'tokenizer.ggml.scores': 0 }, /no scores/],
  ['without words', {}, /no tokenizer\.ggml\.tokens/],
];
for (const [what, model, message] of unknown)
  test(`a tokenizer ${what} is refused`, () => {
    assert.throws(() => tokenizerOf(model), { message });
  });
