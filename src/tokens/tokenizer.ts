/** The tokenizer of a model from what its GGUF file says of it. */
import { Tokenizer } from '@huggingface/tokenizers';
import type { GgufValue } from '../machine/gguf.ts';
import { preTokenizerOf } from './pre-tokenizers.ts';

/** Tokens of a text, without those that a chat template adds. */
export type CountTokens = (text: string) => number;

type Metadata = ReadonlyMap<string, GgufValue>;

/** Kinds of tokens (`tokenizer.ggml.token_type`). */
const control = 3;
const userDefined = 4;

/** Which keys of a header `makeTokenizer` needs. */
export const isOfTokenizer = (key: string): boolean => key.startsWith('tokenizer.ggml.');

/** @throws naming what is not known, or is not there */
export function makeTokenizer(metadata: Metadata): CountTokens {
  const model = metadata.get('tokenizer.ggml.model');
  const tokens = textsOf(metadata, 'tokenizer.ggml.tokens');
  const vocab = new Map(tokens.map((token, id) => [token, id]));
  const unknown = tokens[Number(metadata.get('tokenizer.ggml.unknown_token_id') ?? -1)] ?? null;
  const given = { metadata, tokens, vocab, unknown };
  const rules = model === 'gpt2' ? byteLevel(given) : model === 'llama' ? pieces(given) : undefined;
  if (rules === undefined) throw new Error(`its tokenizer is of the kind ${String(model)}`);
  const description = {
    version: '1.0',
    added_tokens: addedTokens(given),
    post_processor: null,
    decoder: null,
    ...rules,
  };
  const tokenizer = new Tokenizer(description, {});
  return (text) => (text === '' ? 0 : tokenizer.encode(text, { add_special_tokens: false }).ids.length);
}

interface Given {
  readonly metadata: Metadata;
  readonly tokens: readonly string[];
  readonly vocab: ReadonlyMap<string, number>;
  /** Stands for what the vocabulary has not; without one such a character would count nothing. */
  readonly unknown: string | null;
}

/** They are found in a text before anything is split or merged, as the server does it. */
function addedTokens({ metadata, tokens }: Given): object[] {
  const types = metadata.get('tokenizer.ggml.token_type');
  if (!Array.isArray(types)) return [];
  const kinds = types as readonly GgufValue[];
  const plain = { normalized: false, single_word: false, lstrip: false, rstrip: false };
  return tokens.flatMap((content, id) =>
    content !== '' && (kinds[id] === control || kinds[id] === userDefined)
      ? [{ ...plain, id, content, special: kinds[id] === control }]
      : [],
  );
}

/** BPE over bytes, with the merges of the file: Llama 3, Qwen, GPT, Mistral since Nemo. */
function byteLevel({ metadata, vocab, unknown }: Given): object {
  const name = metadata.get('tokenizer.ggml.pre');
  const pre = preTokenizerOf(String(name));
  if (pre === undefined) throw new Error(`its pre-tokenizer is ${String(name)}`);
  const splits = pre.patterns.map((pattern) => ({
    type: 'Split',
    pattern: { Regex: pattern },
    behavior: 'Isolated',
    invert: false,
  }));
  const bytes = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: false, use_regex: false };
  const merges = textsOf(metadata, 'tokenizer.ggml.merges').map(pairOf);
  return {
    normalizer: null,
    pre_tokenizer: { type: 'Sequence', pretokenizers: [...splits, bytes] },
    model: { ...bpe({ vocab, unknown, merges }), ignore_merges: pre.ignoreMerges },
  };
}

/**
 * SentencePiece: whatever two neighbours make a piece is merged, the piece of the best score first. Gemma, Llama 2,
 * Mistral.
 */
function pieces({ metadata, tokens, vocab, unknown }: Given): object {
  const scores = metadata.get('tokenizer.ggml.scores');
  if (!Array.isArray(scores)) throw new Error('its pieces have no scores');
  const scored = tokens.flatMap((token, id) => {
    const score = Number((scores as readonly GgufValue[])[id]);
    return halvesOf(token, vocab).map((halves) => ({ score, halves }));
  });
  scored.sort((a, b) => b.score - a.score);
  const merges = scored.map(({ halves }) => halves);
  const space = { type: 'Replace', pattern: { String: ' ' }, content: '▁' };
  const front = { type: 'Prepend', prepend: '▁' };
  const isBare = metadata.get('tokenizer.ggml.add_space_prefix') === false;
  return {
    normalizer: { type: 'Sequence', normalizers: isBare ? [space] : [front, space] },
    pre_tokenizer: null,
    model: { ...bpe({ vocab, unknown, merges }), byte_fallback: true },
  };
}

/** The ways in which two pieces make this one. */
function halvesOf(token: string, vocab: ReadonlyMap<string, number>): string[][] {
  const halves: string[][] = [];
  let at = 0;
  for (const point of token) {
    at += point.length;
    const [left, right] = [token.slice(0, at), token.slice(at)];
    if (right !== '' && vocab.has(left) && vocab.has(right)) halves.push([left, right]);
  }
  return halves;
}

const bpe = ({
  vocab,
  unknown,
  merges,
}: Pick<Given, 'vocab' | 'unknown'> & { readonly merges: readonly (readonly string[])[] }): object => ({
  type: 'BPE',
  unk_token: unknown,
  vocab: Object.fromEntries(vocab),
  merges,
});

/** The first space parts the two: byte-level tokens hold none. */
const pairOf = (merge: string): string[] => {
  const at = merge.indexOf(' ', 1);
  return [merge.slice(0, at), merge.slice(at + 1)];
};

function textsOf(metadata: Metadata, key: string): string[] {
  const list = metadata.get(key);
  if (!Array.isArray(list)) throw new Error(`it has no ${key}`);
  return (list as GgufValue[]).map(String);
}
