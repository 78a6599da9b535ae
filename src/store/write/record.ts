import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { claimByLink, readIfThere } from '../../disk/atomic.ts';
import { RagError } from '../../errors.ts';
import { checkEncoder } from './encoder.ts';
import { analysis } from '../../words/analyse.ts';
import type { EncoderRecord } from '../types.ts';

/** `<index>/index.json`: by what the index was made. Written once, by whoever comes first. */
interface IndexRecord {
  readonly format: typeof format;
  /** What made the words that BM25 sees. Another one would look for words that are not there. */
  readonly analysis: typeof analysis;
  readonly encoder: EncoderRecord;
}

/** Of the columns and of how the tables lie. */
const format = 3;

export const recordPath = (root: string): string => path.join(root, 'index.json');

/** Null when there is no index. @throws index-damaged, index-mismatch when it is of another release */
export async function readRecord(root: string): Promise<EncoderRecord | null> {
  const text = await readIfThere(recordPath(root));
  if (text === undefined) return null;
  const record = parse(root, text);
  const made = [record.format, record.analysis].filter((each) => each !== undefined).join(' with ');
  const wanted = `${format} with ${analysis}`;
  if (made === wanted && record.encoder !== undefined) return record.encoder;
  throw new RagError(
    'index-mismatch',
    `Cannot open the index in ${root}: its format is ${made}, ${wanted} is wanted`,
    { hint: `mv ${root} ${root}.old   # and ingest again, or use another --working-dir` },
  );
}

function parse(root: string, text: string): Partial<IndexRecord> {
  try {
    return JSON.parse(text) as Partial<IndexRecord>;
  } catch (cause) {
    throw new RagError('index-damaged', `Cannot read ${recordPath(root)}: it is not JSON, JSON is wanted`, {
      cause,
    });
  }
}

/** Makes the record, or agrees with the one that is there. @throws index-mismatch, disk-full */
export async function claimRecord(root: string, encoder: EncoderRecord): Promise<void> {
  await mkdir(root, { recursive: true });
  const record: IndexRecord = { format, analysis, encoder };
  if ((await readRecord(root)) === null)
    await claimByLink(recordPath(root), `${JSON.stringify(record, null, 2)}\n`, 0o644);
  const recorded = await readRecord(root);
  if (recorded !== null) checkEncoder(recorded, encoder);
}
