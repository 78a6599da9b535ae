import { RagError } from '../../errors.ts';
import type { EncoderRecord } from '../types.ts';

/**
 * Vectors of two encoders cannot be compared, and chunks of two chunkers would be stored side by side.
 *
 * @throws index-mismatch, naming both
 */
export function checkEncoder(recorded: EncoderRecord, inForce: EncoderRecord): void {
  const field = differenceOf(recorded, inForce);
  if (field === undefined) return;
  throw new RagError(
    'index-mismatch',
    `Cannot use the index: it was made by ${describe(recorded)}, in force is ${describe(inForce)}: ${field} differs`,
    { hint: field === 'chunker' ? otherFolder : reembed },
  );
}

const otherFolder =
  'set the model, the chunk size and the RAG_PARSER that made it, or use another --working-dir';

const reembed =
  'node dist/supervisor.js index reembed   # new vectors for what is in it; or set the model that made it, or use another --working-dir';

/**
 * Weights are the same when their digests are. Names are compared only where a digest is unknown: one model
 * has several (`x`, `x:latest`).
 */
export function differenceOf(a: EncoderRecord, b: EncoderRecord): keyof EncoderRecord | undefined {
  const identity = a.digest === '' || b.digest === '' ? 'model' : 'digest';
  const plain = ([identity, 'dimensions', 'type', 'metric', 'maxLength', 'chunker'] as const).find(
    (field) => a[field] !== b[field],
  );
  return plain ?? ((a.prefixes?.passage ?? '') === (b.prefixes?.passage ?? '') ? undefined : 'prefixes');
}

const describe = (record: EncoderRecord): string =>
  record.dimensions === 0
    ? `words alone (chunker ${record.chunker})`
    : `${record.model} (${[
        record.digest.slice(0, 12) || 'no digest',
        `${record.dimensions} x ${record.type}`,
        record.metric,
        ...(record.maxLength === undefined ? [] : [`${record.maxLength} tokens`]),
        ...(record.prefixes?.passage ? [`passages begin with "${record.prefixes.passage}"`] : []),
        `chunker ${record.chunker}`,
      ].join(', ')})`;
