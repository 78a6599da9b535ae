/** What `index export` wrote: its lines are passages already. */
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { RagError } from '../../errors.ts';
import { type Exported, manifestName, passagesName, vectorsName } from '../../store/export/exported.ts';
import { rowOfExport } from '../../store/export/exported-row.ts';
import type { BareRow } from '../chunk-rows.ts';
import { numberedSlices, type NumberedSlice } from './corpus-rows.ts';
import type { Document, Part } from './parts.ts';
import type { VectorFile } from './vector-file.ts';

export const exportedVectors = (folder: string): string => join(folder, vectorsName);

/** Undefined where a folder is no export. */
export async function readManifest(folder: string): Promise<Exported | undefined> {
  const text = await readFile(join(folder, manifestName), 'utf8').catch(() => undefined);
  try {
    const manifest = JSON.parse(text ?? '') as Partial<Exported>;
    return manifest.kind === 'rag-allinone export' ? (manifest as Exported) : undefined;
  } catch {
    return undefined;
  }
}

export async function exportedPart(folder: string, vectors: VectorFile, signal: AbortSignal): Promise<Part> {
  const path = join(folder, passagesName);
  const slices = await numberedSlices(path, signal);
  return {
    path,
    vectors,
    slices,
    read: (slice) => readLines(path, slice),
    documents: () => inDocuments(path, slices),
  };
}

/** Documents of an export, without their vectors. */
export async function* exportedDocuments(
  folder: string,
  signal: AbortSignal,
): AsyncGenerator<readonly Document[]> {
  const path = join(folder, passagesName);
  yield* inDocuments(path, await numberedSlices(path, signal));
}

async function readLines(path: string, { from, to }: NumberedSlice): Promise<{ readonly row: BareRow }[]> {
  await using handle = await open(path);
  const bytes = Buffer.alloc(to - from);
  await handle.read(bytes, 0, bytes.length, from);
  return bytes
    .toString('utf8')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const row = rowOfExport(line);
      if (row === undefined) throw damaged(path, line);
      return { row };
    });
}

/** Passages of one document follow each other, and may do so over the end of a slice. */
async function* inDocuments(
  path: string,
  slices: readonly NumberedSlice[],
): AsyncGenerator<readonly Document[]> {
  let open: { rows: BareRow[]; at: number; whole: false } = { rows: [], at: 0, whole: false };
  for (const slice of slices) {
    const ended: Document[] = [];
    for (const [line, { row }] of (await readLines(path, slice)).entries()) {
      const last = open.rows.at(-1);
      if (last?.document === row.document && last.hash === row.hash) open.rows.push(row);
      else {
        if (last !== undefined) ended.push(open);
        open = { rows: [row], at: slice.first + line, whole: false };
      }
    }
    yield ended;
  }
  if (open.rows.length > 0) yield [open];
}

const damaged = (path: string, line: string): RagError =>
  new RagError(
    'bad-document',
    `Cannot import ${path}: a line of it is no passage (${line.slice(0, 60)}), what index export wrote is wanted`,
    { hint: 'node dist/supervisor.js index export FOLDER   # again' },
  );
