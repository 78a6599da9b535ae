/** What a corpus will make of an index, from the sizes of all of its files and a sample that was read. Pure. */

export interface FileGroup {
  /** `.pdf`, `.html`; '' of files without one. */
  readonly extension: string;
  readonly files: number;
  readonly bytes: number;
}

/** What came of the files of one group that were read, or of the beginning of a large one. */
export interface Sample {
  readonly extension: string;
  readonly bytes: number;
  readonly chunks: number;
  readonly tokens: number;
  /** Of the text, in UTF-8. */
  readonly textBytes: number;
  readonly failed: number;
  readonly files: number;
}

export interface CorpusEstimate {
  readonly files: number;
  readonly bytes: number;
  readonly chunks: number;
  readonly tokens: number;
  readonly index_bytes: number;
  readonly index_inodes: number;
  /** Of its files, those that are likely to be set aside. */
  readonly failed: number;
  /** Null where no earlier run has told how fast models embed. */
  readonly hours: number | null;
  readonly gpu_hours: number | null;
}

export interface CorpusInput {
  readonly groups: readonly FileGroup[];
  readonly samples: readonly Sample[];
  /** Of a vector. */
  readonly vectorBytes: number;
  readonly gpus: number;
  /** Tokens a second of an earlier run with as many embed servers; null where there was none. */
  readonly tokensPerSecond: number | null;
}

/** Ids, places, headings and hashes of a chunk, compressed. */
const rowBytes = 200;
/** Of the text and its words, which Lance compresses, for each byte of text: 534 HTML pages took 1.0. */
const storedPerTextByte = 1;
/** Of a compressed vector in the index of the vectors. */
const quantizedShare = 0.1;
/** Tables, their versions and indexes, and the records beside them. */
const inodes = 200;

export function estimateCorpus({
  groups,
  samples,
  vectorBytes,
  gpus,
  tokensPerSecond,
}: CorpusInput): CorpusEstimate {
  const ofGroup = new Map(samples.map((sample) => [sample.extension, sample]));
  const all = add(samples);
  const total = { chunks: 0, tokens: 0, textBytes: 0, failed: 0 };
  for (const { extension, bytes, files } of groups) {
    // A kind of which nothing was read is taken for the average of the others.
    const sample = ofGroup.get(extension) ?? all;
    const share = sample.bytes === 0 ? 0 : bytes / sample.bytes;
    total.chunks += sample.chunks * share;
    total.tokens += sample.tokens * share;
    total.textBytes += sample.textBytes * share;
    total.failed += sample.files === 0 ? 0 : (files * sample.failed) / sample.files;
  }
  const perChunk = vectorBytes * (1 + quantizedShare) + rowBytes;
  const seconds = tokensPerSecond === null ? null : total.tokens / tokensPerSecond;
  return {
    files: groups.reduce((sum, { files }) => sum + files, 0),
    bytes: groups.reduce((sum, { bytes }) => sum + bytes, 0),
    chunks: Math.round(total.chunks),
    tokens: Math.round(total.tokens),
    index_bytes: Math.round(total.chunks * perChunk + total.textBytes * storedPerTextByte),
    index_inodes: inodes,
    failed: Math.round(total.failed),
    hours: seconds === null ? null : seconds / 3600,
    gpu_hours: seconds === null ? null : (seconds / 3600) * gpus,
  };
}

const add = (samples: readonly Sample[]): Omit<Sample, 'extension'> =>
  samples.reduce(
    (sum, each) => ({
      bytes: sum.bytes + each.bytes,
      chunks: sum.chunks + each.chunks,
      tokens: sum.tokens + each.tokens,
      textBytes: sum.textBytes + each.textBytes,
      failed: sum.failed + each.failed,
      files: sum.files + each.files,
    }),
    { bytes: 0, chunks: 0, tokens: 0, textBytes: 0, failed: 0, files: 0 },
  );

const round = (value: number): string => Number(value.toPrecision(2)).toLocaleString('en-US');

export function corpusText(estimate: CorpusEstimate): string[] {
  const { files, bytes, chunks, tokens, index_bytes: index, hours, gpu_hours: gpuHours, failed } = estimate;
  const time =
    hours === null || gpuHours === null
      ? 'how long it takes is known after a first run: ingest a part of it'
      : `embedding takes about ${round(hours)} h, ${round(gpuHours)} GPU-hours, as fast as the last run`;
  return [
    `corpus     ${files.toLocaleString('en-US')} files, ${(bytes / 1e9).toFixed(2)} GB: about ${round(chunks)} chunks, ${round(tokens)} tokens`,
    `index      about ${(index / 1e9).toFixed(2)} GB and ${estimate.index_inodes} inodes; twice that while it is merged`,
    `           ${time}`,
    ...(failed === 0 ? [] : [`           about ${round(failed)} files are likely to be set aside`]),
  ];
}
