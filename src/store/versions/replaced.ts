import { stat } from 'node:fs/promises';
import { RagError } from '../../errors.ts';
import { differenceOf } from '../write/encoder.ts';
import { readRecord, recordPath } from '../write/record.ts';
import type { EncoderRecord } from '../types.ts';

/**
 * `index reembed` puts an index of another encoder in the place of one that others may be asking: their questions
 * were encoded by the old one, and mean nothing among the new vectors.
 *
 * @returns a check. @throws (the check) index-mismatch when the index is not of the encoder that it was of at first
 */
export function makeReplacedCheck(root: string): () => Promise<void> {
  let first: EncoderRecord | null = null;
  return async () => {
    const now = await readRecord(root);
    first ??= now;
    if (first === null || now === null || differenceOf(first, now) === undefined) return;
    throw new RagError(
      'index-mismatch',
      `Cannot use the index in ${root}: it was replaced by one that ${now.model} made, ${first.model} is in use`,
      { hint: 'start again with the encoder that made it (index inspect names it)' },
    );
  };
}

/** Another one after the index was replaced, though its tables may have the same names and versions. */
export const recordState = (root: string): Promise<string> =>
  stat(recordPath(root)).then(
    ({ ino, mtimeMs }) => `${ino} ${mtimeMs}`,
    () => '',
  );
