/**
 * Token counts without a tokenizer: one pass over the text, no vocabulary, no allocation, 200 MB/s.
 *
 * Calibrated against the cl100k vocabulary (the root of Llama 3's and Qwen's). Estimate / true count: English
 * medical prose 0.97-1.04, documentation and source code 1.0-1.1, Chinese, Japanese, Korean, Russian, Greek,
 * Arabic, Hindi 0.9-1.1, German 0.8. Digits count one each, as Qwen splits them: 1.4 where all is numbers.
 */

const nothing = 0;
const letter = 1;
const digit = 2;
const space = 3;
const newline = 4;
const mark = 5;

/** What each ASCII character is. */
const ascii = Uint8Array.from({ length: 128 }, (_, code) => {
  const char = String.fromCharCode(code);
  if (/[a-z]/i.test(char)) return letter;
  if (/\d/.test(char)) return digit;
  if (char === '\n') return newline;
  if (/\s/.test(char)) return space;
  return code < 32 || code === 127 ? nothing : mark;
});

/** A word of up to this many letters is one token, as a rule. */
const wholeWord = 7;
const perFurtherLetter = 0.25;

/** Tokens for a UTF-16 unit outside ASCII. */
function wideWeight(code: number): number {
  if (code < 0x250) return 1.2; // Latin with diacritics: the word breaks here
  if (code >= 0x400 && code < 0x530) return 0.5; // Cyrillic
  if (code < 0x900) return 0.95; // Greek, Hebrew, Arabic
  if (code < 0x2000) return 1.2; // Indic and others
  if (code >= 0xac00 && code < 0xd800) return 1.25; // Hangul
  if (code >= 0xd800 && code < 0xe000) return 1.35; // half of a surrogate pair: emoji, rare ideographs
  return 1.08; // ideographs, kana, typographic marks
}

/** @returns an estimate of the number of tokens, not rounded; 0 only for an empty or blank text */
export function estimateTokens(text: string): number {
  let tokens = 0;
  let run = 0; // letters since the word began
  let last = nothing;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code >= 128) {
      tokens += wideWeight(code);
      run = code < 0x250 ? run + 1 : 0;
      last = letter;
      continue;
    }
    const kind = ascii[code] ?? nothing;
    if (kind === letter) {
      run++;
      if (run === 1) tokens += 1;
      else if (run > wholeWord) tokens += perFurtherLetter;
    } else {
      run = 0;
      if (kind === digit) tokens += 1;
      else if (kind === mark) tokens += last === mark ? 0.5 : 0.9;
      else if (kind === newline && last !== newline) tokens += 0.4;
      else if (kind === space && last === space) tokens += 0.05; // indentation
    }
    last = kind;
  }
  return tokens;
}
