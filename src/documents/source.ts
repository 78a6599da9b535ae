import type { Block, ParsedText } from './block.ts';

const names = new Set(
  (
    'asm bash bat bib c cc cfg cjs clj cls cmake conf cpp cs css csh cu cuh cxx dart el erl ex exs f f03 f08 f77 f90 f95 ' +
    'fish for fs go gradle groovy h hh hpp hs hxx ini ipp java jl js json jsonl jsx kt kts lisp lua m mjs mk ml mli ' +
    'ndjson nim nix pas pl pm php properties proto ps1 py pyi pyx r rb rs s sass sbatch scala scm scss sh sql sty sv ' +
    'svelte swift tcl tf toml ts tsx v vb vhd vhdl vue yaml yml zig zsh'
  ).split(' '),
);

/** @param extension with its dot, in lower case */
export const isSource = (extension: string): boolean => names.has(extension.slice(1));

/** Source code and settings: pieces that are kept whole where they fit, else cut between lines. @param text cleaned */
export const parseSource = (text: string): ParsedText => ({
  title: undefined,
  blocks: piecesOf(text).map((piece): Block => ({ kind: 'code', text: piece })),
});

/** A piece ends where a line at the margin follows an empty one: before the next function, class or section. */
function piecesOf(text: string): string[] {
  const pieces: string[] = [];
  let piece: string[] = [];
  let isAfterEmpty = false;
  for (const line of text.split('\n')) {
    const isEmpty = line.trim() === '';
    if (isAfterEmpty && !isEmpty && !/^\s/u.test(line)) {
      pieces.push(piece.join('\n').trimEnd());
      piece = [];
    }
    if (!isEmpty || piece.length > 0) piece.push(line);
    isAfterEmpty = isEmpty;
  }
  pieces.push(piece.join('\n').trimEnd());
  return pieces.filter((one) => one !== '');
}
