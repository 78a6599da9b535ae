/** Looks at a corpus before it is ingested: the sizes of all files, and what a sample of them makes. */
import { stat } from 'node:fs/promises';
import { extname } from 'node:path';
import { openParserPool } from '../../documents/pool.ts';
import type { ChunkerOptions, ParsedDocument } from '../../documents/types.ts';
import { listInputs } from '../../ingest/listing.ts';
import { isNamedRows } from '../../ingest/slices.ts';
import type { FileGroup, Sample } from '../../plan/corpus.ts';
import { estimateTokens } from '../../tokens/estimate.ts';

export interface Surveyed {
  readonly groups: readonly FileGroup[];
  readonly samples: readonly Sample[];
}

interface Kept {
  readonly path: string;
  readonly bytes: number;
}

const filesPerGroup = 12;
const mostRowBytes = 1024 * 1024;
/** A larger one would take the time of all the others. */
const largest = 64 * 1024 * 1024;
const sampleMs = 30_000;

/** Reads at most twelve files of a kind, and no longer than half a minute. @throws no-input, aborted */
export async function surveyCorpus(
  inputs: readonly string[],
  {
    chunker,
    threads,
    signal,
  }: { readonly chunker: ChunkerOptions; readonly threads: number; readonly signal: AbortSignal },
): Promise<Surveyed> {
  const groups = new Map<string, FileGroup>();
  const kept = new Map<string, Kept[]>();
  for await (const item of listInputs({ inputs }, signal)) {
    if (item.kind !== 'file') continue;
    const bytes = await stat(item.path).then(
      (found) => found.size,
      () => undefined,
    );
    if (bytes === undefined) continue;
    const extension = extname(item.path).toLowerCase();
    const before = groups.get(extension) ?? { extension, files: 0, bytes: 0 };
    const group = { extension, files: before.files + 1, bytes: before.bytes + bytes };
    groups.set(extension, group);
    keep(kept, group, { path: item.path, bytes });
  }
  await using pool = openParserPool({ threads, chunker, maxFileBytes: largest, timeoutMsPerFile: sampleMs });
  const deadline = performance.now() + sampleMs;
  const samples: Sample[] = [];
  for (const [extension, files] of kept) {
    if (performance.now() > deadline) break;
    const parsed = await Promise.all(
      files.filter(({ bytes }) => bytes <= largest || isNamedRows(extension)).map((file) => read(file)),
    );
    samples.push(makeSample(extension, parsed));
  }
  return { groups: [...groups.values()], samples };

  async function read({
    path,
    bytes,
  }: Kept): Promise<{ bytes: number; documents: readonly ParsedDocument[] }> {
    const to = Math.min(bytes, mostRowBytes);
    const rows = { kind: 'rows', path, corpus: path, from: 0, to } as const;
    const task = isNamedRows(path) ? rows : ({ kind: 'file', path, key: path, known: null, bytes } as const);
    return { bytes: task.kind === 'rows' ? to : bytes, documents: await pool.parse(task, signal) };
  }
}

/** The n-th file takes the place of one that was kept before with the chance that makes all of them equal; always the same. */
function keep(kept: Map<string, Kept[]>, { extension, files }: FileGroup, file: Kept): void {
  const those = kept.get(extension) ?? [];
  kept.set(extension, those);
  if (those.length < filesPerGroup) those.push(file);
  else {
    const place = Math.imul(files, 2_654_435_761) >>> 0;
    if (place % files < filesPerGroup) those[place % files] = file;
  }
}

function makeSample(
  extension: string,
  parsed: readonly { readonly bytes: number; readonly documents: readonly ParsedDocument[] }[],
): Sample {
  const chunks = parsed.flatMap(({ documents }) =>
    documents.flatMap((each) => (each.state === 'parsed' ? each.chunks : [])),
  );
  const isFailed = ({ documents }: { readonly documents: readonly ParsedDocument[] }): boolean =>
    documents.length > 0 && documents.every(({ state }) => state !== 'parsed');
  return {
    extension,
    files: parsed.length,
    bytes: parsed.reduce((sum, { bytes }) => sum + bytes, 0),
    chunks: chunks.length,
    tokens: chunks.reduce((sum, { text }) => sum + estimateTokens(text), 0),
    textBytes: chunks.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0),
    failed: parsed.filter(isFailed).length,
  };
}
