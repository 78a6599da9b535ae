/** Text between structures: comments, markup, accents. Every pattern is linear: none can match one place in many ways. */

/** Longer arguments of a section or a caption are a brace that was never closed. */
const longestArgument = 5000;

/** What stands up to the brace that closes the one before `from`, and where it goes on behind it. */
export function bracedText(source: string, from: number): { readonly text: string; readonly next: number } {
  let depth = 1;
  const last = Math.min(source.length, from + longestArgument);
  for (let at = from; at < last; at++) {
    const char = source[at];
    if (char === '\\') at++;
    else if (char === '{') depth++;
    else if (char === '}' && --depth === 0) return { text: source.slice(from, at), next: at + 1 };
  }
  return { text: '', next: from };
}

const verbatimStart = /\\begin\{(verbatim|lstlisting|minted|alltt)\*?\}/u;

/** A line that is nothing but a comment goes as a whole: what is left of it would end the paragraph. */
export function withoutComments(source: string): string {
  let closing: string | undefined;
  const lines: string[] = [];
  for (const line of source.split('\n')) {
    if (closing !== undefined) {
      if (line.includes(closing)) closing = undefined;
      lines.push(line);
      continue;
    }
    const name = verbatimStart.exec(line)?.[1];
    if (name !== undefined && !line.includes(`\\end{${name}`)) closing = `\\end{${name}`;
    const at = name === undefined ? commentStart(line) : -1;
    if (at < 0) lines.push(line);
    else if (line.slice(0, at).trim() !== '') lines.push(line.slice(0, at));
  }
  return lines.join('\n');
}

/** The first `%` that no backslash makes a sign; -1 without one. */
function commentStart(line: string): number {
  for (let at = line.indexOf('%'); at >= 0; at = line.indexOf('%', at + 1)) {
    let slashes = 0;
    while (line[at - 1 - slashes] === '\\') slashes++;
    if (slashes % 2 === 0) return at;
  }
  return -1;
}

const formula = /(\$\$[^$]*\$\$|\$[^$]*\$|\\\([^)]{0,500}\\\))/u;

/** Running text without its markup; formulas in it stay as they are written. */
export const plainLatex = (text: string): string =>
  text
    .split(formula)
    .map((part, index) => (index % 2 === 1 ? part : plain(part)))
    .join('');

const dropped =
  /\\(?:label|vspace|hspace|includegraphics|bibliography|bibliographystyle|pagestyle|thispagestyle|input|include|usepackage|setlength|newcommand|renewcommand)\*?(?:\[[^\]\n]{0,300}\])?(?:\{[^{}]*\})*|\\(?:centering|maketitle|tableofcontents|newpage|clearpage|noindent|small|footnotesize|scriptsize|large|Large|bfseries|itshape|medskip|bigskip|smallskip|par|hfill|title|author|date|thanks)\b/gu;
const marked =
  /\\(?:textbf|textit|textsc|textsf|textrm|texttt|text|emph|underline|mbox|url|multicolumn\{\d+\}\{[^{}]*\}|multirow\{[^{}]*\}\{[^{}]*\}|footnote|href\{[^{}]*\})\{([^{}]*)\}/gu;
const accent = /\\(["'`^~=.]|[uvHcdr](?=\{))\{?(\\[ij]|[A-Za-z])\}?/gu;
const combining: Readonly<Record<string, string>> = {
  '"': '\u0308',
  "'": '\u0301',
  '`': '\u0300',
  '^': '\u0302',
  '~': '\u0303',
  '=': '\u0304',
  '.': '\u0307',
  u: '\u0306',
  v: '\u030c',
  H: '\u030b',
  c: '\u0327',
  d: '\u0323',
  r: '\u030a',
};
const letters: Readonly<Record<string, string>> = {
  ss: 'ß',
  o: 'ø',
  O: 'Ø',
  ae: 'æ',
  AE: 'Æ',
  aa: 'å',
  AA: 'Å',
  l: 'ł',
  L: 'Ł',
};

/** Markup in markup, three deep; the rest is left to the reader, who knows LaTeX. */
function plain(text: string): string {
  let result = text
    .replace(accent, (_, sign: string, letter: string) =>
      (letter.replace('\\', '') + (combining[sign] ?? '')).normalize('NFC'),
    )
    .replace(/\\(ss|ae|AE|aa|AA|[oOlL])(?:\{\}|\b ?)/gu, (_, name: string) => letters[name] ?? '')
    .replace(dropped, '');
  for (let n = 0; n < 3 && result.includes('\\'); n++) result = result.replace(marked, '$1');
  return (
    result
      // A group, not the argument of a command.
      .replace(/(?<![\\\w\]}*])\{([^{}]*)\}/gu, '$1')
      .replace(/\\\\(?:\[[^\]\n]{0,50}\])?/gu, '\n')
      .replace(/(?<!\\)~/gu, ' ')
      .replace(/\\([%&_#${}])/gu, '$1')
      .replace(/``|''/gu, '"')
  );
}
