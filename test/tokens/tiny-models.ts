/** Vocabularies of a few words, as GGUF files describe them. */

/** How a byte-level vocabulary writes each byte: printable ones as they are, the others from U+0100 on. */
export const bytePieces: readonly string[] = (() => {
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => {
    const isPrintable = (byte > 32 && byte < 127) || (byte > 160 && byte !== 173);
    return String.fromCharCode(isPrintable ? byte : next++);
  });
})();

const space = 'Ġ';
const words = [
  't h',
  'h e',
  'th e',
  `${space} t`,
  `${space}t he`,
  `${space} the`,
  'the n',
  `${space}the n`,
  'e n',
  'Ã ©',
];

interface ByteModel {
  readonly [key: string]: string | readonly string[] | readonly number[];
  readonly 'tokenizer.ggml.merges': readonly string[];
}

/** @param pre the family that splits its text */
export function byteModel(pre: string, merges: readonly string[] = words): ByteModel {
  const tokens = [...bytePieces, ...merges.map((merge) => merge.replace(' ', '')), '<|im_end|>'];
  return {
    'tokenizer.ggml.model': 'gpt2',
    'tokenizer.ggml.pre': pre,
    'tokenizer.ggml.tokens': tokens,
    'tokenizer.ggml.token_type': tokens.map((token) => (token === '<|im_end|>' ? 3 : 1)),
    'tokenizer.ggml.merges': merges,
  };
}

const pieces = [
  'the',
  '▁the',
  'he',
  'th',
  '▁t',
  'then',
  '▁the',
  'en',
  '▁',
  't',
  'h',
  'e',
  'n',
  'a',
  '.',
  '1',
  '2',
  'T',
];
/** The later in the list, the worse. */
export const pieceScores: ReadonlyMap<string, number> = new Map(
  [...new Set(pieces)].map((piece, at) => [piece, -at]),
);

const byteTokens = Array.from(
  { length: 256 },
  (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`,
);

export const pieceModel = {
  'tokenizer.ggml.model': 'llama',
  'tokenizer.ggml.tokens': ['<unk>', '<s>', ...byteTokens, ...pieceScores.keys()],
  'tokenizer.ggml.scores': [0, 0, ...byteTokens.map(() => 0), ...pieceScores.values()],
  'tokenizer.ggml.token_type': [2, 3, ...byteTokens.map(() => 6), ...Array.from(pieceScores, () => 1)],
  'tokenizer.ggml.unknown_token_id': 0,
  'tokenizer.ggml.add_space_prefix': false,
} as const;
