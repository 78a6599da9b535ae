/** Follows files until all that is in them is in the index: then they get their stamps. */
import { type CorpusDigest, makeCorpusDigest } from '../store/digest.ts';
import type { ChunkRow } from '../store/types.ts';
import type { FileState } from './file-state.ts';
import type { Sightings } from './prune.ts';
import type { Stamps } from './stamps.ts';

type Version = Pick<ChunkRow, 'document' | 'hash'>;

export interface Origins {
  /** A task of the file is under way: it is parsed, or cut into slices. @param state taken before it was opened */
  begin(key: string, state: FileState | undefined): void;
  end(key: string): void;
  /** A document was found in it that will be committed or set aside. */
  expect(version: Version): void;
  /** It is in the index. */
  settle(version: Version): void;
  /** Something in the file failed: it is read again by the next run. @param expected that document was */
  fail(key: string, expected: boolean): void;
}

interface Origin {
  readonly state: FileState | undefined;
  /** Tasks and documents under way. */
  open: number;
  isWhole: boolean;
  /** Content of a file that is one document. */
  content: string | undefined;
  rows: CorpusDigest | undefined;
}

/** The rows of a corpus have its key and a number sign in front, which no key of a file has. */
export const corpusName = (key: string): string => `${key}#`;
export const fileOf = (document: string): string => document.split('#', 1)[0] ?? document;

/** Holds the files that are under way, no others. */
export function makeOrigins(stamps: Stamps, sightings: Pick<Sightings, 'readCorpus'>): Origins {
  const origins = new Map<string, Origin>();
  const change = (key: string, by: number): Origin | undefined => {
    const origin = origins.get(key);
    if (origin === undefined) return undefined;
    origin.open += by;
    return origin;
  };
  const release = (key: string): void => {
    const origin = change(key, -1);
    if (origin === undefined || origin.open > 0) return;
    origins.delete(key);
    // Without a state it is a file of which others read the rest, or that nobody could ask.
    if (!origin.isWhole || origin.state === undefined) return;
    if (origin.rows !== undefined) sightings.readCorpus(key);
    stamp(key, origin.state, origin, stamps);
  };
  return {
    begin: (key, state) => {
      if (change(key, 1) === undefined)
        origins.set(key, { state, open: 1, isWhole: true, content: undefined, rows: undefined });
    },
    end: release,
    expect: ({ document }) => void change(fileOf(document), 1),
    settle: (version) => {
      const key = fileOf(version.document);
      const origin = origins.get(key);
      if (origin !== undefined && key === version.document) origin.content = version.hash;
      else if (origin !== undefined) (origin.rows ??= makeCorpusDigest()).add(version);
      release(key);
    },
    fail: (document, expected) => {
      const key = fileOf(document);
      const origin = origins.get(key);
      if (origin !== undefined) origin.isWhole = false;
      if (expected) release(key);
    },
  };
}

function stamp(key: string, state: FileState, { content, rows }: Origin, stamps: Stamps): void {
  if (content !== undefined) stamps.note(key, state, content);
  if (rows === undefined) return;
  // The first says that it is a corpus: what its rows are is asked of the index only where it may save a reading.
  stamps.note(corpusName(key), state, '');
  stamps.note(corpusName(key), state, rows.state().digest);
}
