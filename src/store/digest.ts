import { hash } from 'node:crypto';

/** 64 bits of the sha256 of these words: of a million words two agree with a probability of 3 in 10^8. */
export const digestOf = (...words: readonly string[]): bigint =>
  hash('sha256', words.join('\0'), 'buffer').readBigUInt64LE(0);

/** In a list of what was met: all rows that a corpus has. No row has this digest of its own. */
export const allRowsOf = (corpus: string): bigint => digestOf(corpus, 'all rows');

export const textHash = (text: string): string => hash('sha256', text);

/** The first 52 bits of a hash in hex digits, which are a whole number: equal texts are looked up by those of theirs. */
export const digestBits = (hash: string): number => Number.parseInt(hash.slice(0, 13), 16);

/** What digests are looked up in: 8 bytes each. */
export type Digests = BigUint64Array;

/** Sorted, so that `holds` finds them; a million in about 0.1 s. */
export const sortDigests = (digests: Digests): Digests => digests.sort();

export function holds(sorted: Digests, digest: bigint): boolean {
  let low = 0;
  for (let high = sorted.length; low < high;) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? 0n) < digest) low = middle + 1;
    else high = middle;
  }
  return sorted[low] === digest;
}

/** A list that grows, 8 to 16 bytes a digest. */
export interface DigestList {
  add(digest: bigint): void;
  readonly length: number;
  /** From `begin` on; a copy. */
  slice(begin?: number): Digests;
}

export function makeDigestList(): DigestList {
  let digests = new BigUint64Array(1024);
  let length = 0;
  return {
    add: (digest) => {
      if (length === digests.length) {
        const larger = new BigUint64Array(2 * length);
        larger.set(digests);
        digests = larger;
      }
      digests[length++] = digest;
    },
    get length() {
      return length;
    },
    slice: (begin = 0) => digests.slice(begin, length),
  };
}

/** Which rows of a corpus are complete, and with which content: the same whatever order they come in. */
export interface CorpusState {
  readonly rows: number;
  /** 32 hex digits. */
  readonly digest: string;
}

export interface CorpusDigest {
  add(row: { readonly document: string; readonly hash: string }): void;
  state(): CorpusState;
}

const lanes = 4;

/** Sums, so that neither order nor memory matters: 128 bits of each row's digest, lane by lane. */
export function makeCorpusDigest(): CorpusDigest {
  const sums = new Uint32Array(lanes);
  let rows = 0;
  return {
    add: ({ document, hash: content }) => {
      const bytes = hash('sha256', `${document}\0${content}`, 'buffer');
      for (let lane = 0; lane < lanes; lane++) sums[lane] = (sums[lane] ?? 0) + bytes.readUInt32LE(4 * lane);
      rows += 1;
    },
    state: () => ({
      rows,
      digest: Array.from(sums, (sum) => sum.toString(16).padStart(8, '0')).join(''),
    }),
  };
}
