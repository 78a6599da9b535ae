/**
 * How text is split before a byte-level BPE merges it, by the name that a GGUF file gives (`tokenizer.ggml.pre`). The
 * patterns are those of the models' own tokenizer.json; the names stand for families of models.
 */

export interface PreTokenizer {
  /** Applied one after the other. */
  readonly patterns: readonly string[];
  /** A piece that is a token as a whole is not merged at all. */
  readonly ignoreMerges: boolean;
}

const contraction = String.raw`(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])`;
const spaces = String.raw`\s*[\r\n]+|\s+(?!\S)|\s+`;
const words = (numbers: string): string =>
  String.raw`${contraction}|[^\r\n\p{L}\p{N}]?\p{L}+|${numbers}| ?[^\s\p{L}\p{N}]+[\r\n]*|${spaces}`;
/** A capital begins a word, also inside of one. */
const upper = String.raw`[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]`;
const lower = String.raw`[\p{Ll}\p{Lm}\p{Lo}\p{M}]`;
const cased = (numbers: string, end: string): string =>
  String.raw`[^\r\n\p{L}\p{N}]?${upper}*${lower}+${end}|[^\r\n\p{L}\p{N}]?${upper}+${lower}*${end}|${numbers}| ?[^\s\p{L}\p{N}]+[\r\n/]*|${spaces}`;
const gpt2 = String.raw`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`;
const oneDigit = String.raw`\p{N}`;
const threeDigits = String.raw`\p{N}{1,3}`;

const families: readonly (readonly [
  names: string,
  patterns: readonly string[],
  ignoreMerges?: 'ignore-merges',
])[] = [
  ['llama3 llama-v3 llama-bpe falcon3 falcon-h1 pixtral lfm2', [words(threeDigits)], 'ignore-merges'],
  ['dbrx smaug-bpe', [words(threeDigits)]],
  ['qwen2 deepseek-r1-qwen stablelm2 hunyuan', [words(oneDigit)]],
  [
    'qwen35',
    [
      String.raw`${contraction}|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|${oneDigit}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|${spaces}`,
    ],
  ],
  ['gpt-4o llama4', [cased(threeDigits, `${contraction}?`)]],
  ['tekken', [cased(oneDigit, '')], 'ignore-merges'],
  ['gpt-2 phi-2 mpt olmo jais', [gpt2]],
  ['starcoder refact command-r smollm codeshell exaone minerva-7b', [oneDigit, gpt2]],
];

const byName = new Map(
  families.flatMap(([names, patterns, ignore]) =>
    names
      .split(' ')
      .map((name): [string, PreTokenizer] => [name, { patterns, ignoreMerges: ignore !== undefined }]),
  ),
);

/** Undefined for a family that is not known: another's rules would count wrongly without a sign of it. */
export const preTokenizerOf = (name: string): PreTokenizer | undefined => byName.get(name);
