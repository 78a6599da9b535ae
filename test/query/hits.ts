import type { StoredHit } from '../../src/store/types.ts';
import type { Hit } from '../../src/work.ts';

export const storedHit = (chunk: string, text: string, more: Partial<StoredHit> = {}): StoredHit => ({
  chunk,
  document: `${chunk}.pdf`,
  id: `${chunk}.pdf`,
  title: `Title of ${chunk}`,
  file: `${chunk}.pdf`,
  page: null,
  pageEnd: null,
  start: 0,
  end: text.length,
  headings: [],
  text,
  score: 1,
  ...more,
});

export const hit = (chunk: string, text: string, more: Partial<Hit> = {}): Hit => ({
  ...storedHit(chunk, text),
  stage: 'fused',
  ...more,
});
