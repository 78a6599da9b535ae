import type { Hit } from '../work.ts';

/**
 * A hit as `/retrieve` shows it. `id` and `contents` are Search-R1's; its client takes the first line of
 * `contents` for the title and the rest for the text, so the title must never hold a line break. The other
 * keys are ours; clients of the contract ignore them.
 */
export interface RetrievedDocument {
  /** Of a file its key, of a row the row's id. */
  readonly id: string;
  /** Unique in the index, as rows of two corpora may have one id. */
  readonly key: string;
  /** `"title"\ntext` */
  readonly contents: string;
  readonly title: string;
  readonly file: string;
  readonly page: number | null;
  readonly page_end: number | null;
  /** Code points of the document's text; `end` is exclusive. */
  readonly start: number;
  readonly end: number;
  readonly chunk: string;
  readonly headings: readonly string[];
}

export interface RetrievedHit {
  readonly document: RetrievedDocument;
  /** Higher is better. */
  readonly score: number;
}

/** Everything that a reader may take for a line break becomes a space. */
export const oneLine = (text: string): string => text.replace(/[\s\u0085\u2028\u2029]+/gu, ' ').trim();

export function toDocument(hit: Hit): RetrievedDocument {
  const title = oneLine(hit.title);
  return {
    id: hit.id,
    key: hit.document,
    contents: `"${title}"\n${hit.text}`,
    title,
    file: hit.file,
    page: hit.page,
    page_end: hit.pageEnd,
    start: hit.start,
    end: hit.end,
    chunk: hit.chunk,
    headings: hit.headings,
  };
}

export const toRetrievedHit = (hit: Hit): RetrievedHit => ({ document: toDocument(hit), score: hit.score });
