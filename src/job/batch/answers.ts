/** The file that a batch writes: a record a line, synced as it grows, in the order of the questions at the end. */
import { createReadStream } from 'node:fs';
import { open, rename, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';

import { asDiskFull } from '../../disk/atomic.ts';
import { RagError } from '../../errors.ts';
import type { BatchQuestion } from '../../query/batch-questions.ts';
import { readAnswered, type Place } from './answered.ts';

export interface AnswersFile extends AsyncDisposable {
  /** Positions of the questions that have an answer. A failed one has none: it is asked again. */
  readonly answered: ReadonlySet<number>;
  /** @param line JSON without a line feed. @throws disk-full, usage when another program writes the file */
  write(at: number, line: string): Promise<void>;
  /** Brings the lines into the order of the questions, where they are not, and drops what was answered again. */
  finish(): Promise<void>;
}

/** A record is on disk at the latest when so many more were written; the model takes far longer for one. */
const recordsPerSync = 16;

/** @throws usage when the file holds answers to other questions, or something else */
export async function openAnswers(
  path: string,
  questions: readonly BatchQuestion[],
  queriesPath: string,
): Promise<AnswersFile> {
  const file = await openFile(path);
  try {
    const { places, end } = await readAnswered(createReadStream(path), { questions, path, queriesPath });
    // A torn last line of a run that was killed.
    if ((await file.stat()).size > end) await file.truncate(end);
    return makeAnswersFile({ file, path, places, end });
  } catch (error) {
    await file.close();
    throw error;
  }
}

interface Opened {
  readonly file: FileHandle;
  readonly path: string;
  /** The last line of each question, by its position. */
  readonly places: Map<number, Place>;
  readonly end: number;
}

function makeAnswersFile({ file, path, places, end: from }: Opened): AnswersFile {
  let end = from;
  let unsynced = 0;
  /** Of a write: its line may be torn, and nothing may come behind it. */
  let failure: unknown;
  const answered = new Set([...places].filter(([, { failed }]) => !failed).map(([at]) => at));
  const sync = async (): Promise<void> => {
    if (unsynced === 0) return;
    unsynced = 0;
    await file.datasync().catch((error: unknown) => {
      throw asDiskFull(error, path);
    });
  };
  return {
    answered,
    async write(at, line) {
      if (failure !== undefined) throw failure;
      const bytes = Buffer.from(`${line}\n`);
      try {
        await appendWhole(file, bytes);
        // Two runs on one file: each sees that it is not as long as it made it.
        if ((await file.stat()).size !== end + bytes.length) throw notAlone(path);
      } catch (error) {
        failure = asDiskFull(error, path);
        throw failure;
      }
      places.set(at, { from: end, bytes: bytes.length, failed: false });
      end += bytes.length;
      unsynced += 1;
      if (unsynced >= recordsPerSync) await sync();
    },
    async finish() {
      await sync();
      if (isInOrder(places, end)) return;
      await rewrite(
        file,
        path,
        [...places].sort(([a], [b]) => a - b).map(([, place]) => place),
      );
    },
    async [Symbol.asyncDispose]() {
      try {
        await sync();
      } finally {
        await file.close();
      }
    },
  };
}

async function openFile(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'a+', 0o600);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new RagError(
      'usage',
      `Cannot write ${path}: ${code ?? 'it cannot be opened'}, a file that can be written is wanted`,
      { hint: `ls -ld ${dirname(path)}`, cause: error },
    );
  }
}

async function appendWhole(file: FileHandle, bytes: Buffer): Promise<void> {
  for (let done = 0; done < bytes.length;) done += (await file.write(bytes, done)).bytesWritten;
}

/** The lines follow each other as their questions do, and nothing lies between them. */
function isInOrder(places: ReadonlyMap<number, Place>, end: number): boolean {
  let next = 0;
  for (const [, { from, bytes }] of [...places].sort(([a], [b]) => a - b)) {
    if (from !== next) return false;
    next = from + bytes;
  }
  return next === end;
}

/** Beside the file, then in its place: whoever reads it sees the one or the other. */
async function rewrite(from: FileHandle, path: string, places: readonly Place[]): Promise<void> {
  const beside = `${path}.ordered.tmp`;
  try {
    await using to = await open(beside, 'w', 0o600);
    for (const place of places) {
      const line = Buffer.alloc(place.bytes);
      await from.read(line, 0, place.bytes, place.from);
      await appendWhole(to, line);
    }
    await to.sync();
  } catch (error) {
    throw asDiskFull(error, beside);
  }
  await rename(beside, path);
}

const notAlone = (path: string): RagError =>
  new RagError(
    'usage',
    `Cannot go on writing ${path}: it changed under this run, a file of its own is wanted`,
    {
      hint: 'end the other run, then the same command again',
    },
  );
