/** One pass over a corpus before its ingest: its digest, and which of the documents that judges name are in it. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { StringDecoder } from 'node:string_decoder';

import { RagError } from '../../errors.ts';
import type { Collection } from '../../query/eval/collection.ts';

export interface CorpusLook {
  readonly sha256: string;
  /** What a reader of the figures must know. */
  readonly notes: readonly string[];
}

/** @throws no-input when no document of the corpus is relevant to any question: then ids do not match */
export async function lookAtCorpus(
  { corpus, qrels, name }: Collection & { readonly corpus: string },
  signal: AbortSignal,
): Promise<CorpusLook> {
  const relevant = new Set<string>();
  for (const grades of qrels?.values() ?? [])
    for (const [document, grade] of grades) if (grade > 0) relevant.add(document);
  const missing = new Set(relevant);
  const digest = createHash('sha256');
  let first: string | undefined;
  for await (const line of linesOf(corpus, digest, signal)) {
    const id = idOf(line);
    first ??= id;
    if (id !== undefined) missing.delete(id);
  }
  const [example = ''] = missing;
  if (relevant.size > 0 && missing.size === relevant.size)
    throw new RagError(
      'no-input',
      `Cannot evaluate ${name}: none of the ${relevant.size} relevant documents is in ${corpus}; the judgements name "${example}", the corpus begins with "${first ?? ''}"`,
      { hint: `head -c 300 ${corpus}   # ids must be those of the judgements; or give --qrels FILE` },
    );
  const notes =
    missing.size === 0
      ? []
      : [
          `relevant documents that are not in the corpus: ${missing.size} of ${relevant.size}, e.g. ${example}`,
        ];
  return { sha256: digest.digest('hex'), notes };
}

/** Only `\n` ends a row. */
async function* linesOf(
  file: string,
  digest: ReturnType<typeof createHash>,
  signal: AbortSignal,
): AsyncGenerator<string> {
  let rest = '';
  const decoder = new StringDecoder('utf8');
  const bytes = createReadStream(file, { signal, highWaterMark: 1024 * 1024 });
  for await (const piece of bytes as AsyncIterable<Buffer>) {
    digest.update(piece);
    const lines = (rest + decoder.write(piece)).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
  yield rest;
}

/** A row that cannot be read is the ingest's to report. */
function idOf(line: string): string | undefined {
  if (line.trim() === '') return undefined;
  try {
    const { _id, id } = JSON.parse(line) as { readonly _id?: unknown; readonly id?: unknown };
    const value = id ?? _id;
    return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
  } catch {
    return undefined;
  }
}
