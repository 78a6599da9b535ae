/** An endpoint that lists, takes and removes documents, whose uploads are real. */
import { createHash } from 'node:crypto';
import { mkdtempDisposable, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openUploads } from '../../src/ingest/uploads/uploads.ts';
import type { IngestOrder, ListedDocument, OrderState, RemoveRequest } from '../../src/library.ts';
import type { EndpointOptions } from '../../src/serve/serve.ts';
import { open } from './open.ts';

export const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex');
const listed = (id: string): ListedDocument => ({
  id,
  title: id,
  state: 'processed',
  reason: null,
  chunks: 3,
  updated_at: '2026-01-02T03:04:05.678Z',
});

/** An endpoint whose uploads are real, with a list and orders of our own making. */
export async function openDocuments(
  options: Partial<EndpointOptions['documents']> = {},
  more: Partial<EndpointOptions> = {},
) {
  const folder = await mkdtempDisposable(join(tmpdir(), 'rag-documents-'));
  const uploads = openUploads(folder.path, 0);
  const removed: RemoveRequest[] = [];
  const placed: IngestOrder[] = [];
  const states = new Map<string, OrderState>();
  const order = (id: string) => ({
    id,
    current: () => states.get(id) ?? { state: 'waiting' as const },
    listen: () => ({ [Symbol.dispose]: () => undefined }),
    cancel: () =>
      void states.set(id, { state: 'failed', error: { code: 'aborted', message: 'Cannot: cancelled' } }),
  });
  const endpoint = await open({
    ...more,
    documents: {
      library: {
        documents: ({ after = '', limit }) => {
          const all = ['a.md', 'b/c d#e.md', 'z.md'].filter((id) => id > after);
          const documents = all.slice(0, limit).map(listed);
          return Promise.resolve({
            documents,
            next: all.length > limit ? (documents.at(-1)?.id ?? null) : null,
          });
        },
        document: (id) => Promise.resolve(id.startsWith('never') ? undefined : listed(id)),
        remove: (request) => {
          removed.push(request);
          return Promise.resolve((request.ids ?? request.names ?? []).filter((id) => id !== 'never'));
        },
        missing: (hashes) => uploads.missing(hashes),
        keep: (bytes, how) => uploads.keep(bytes, how),
        upload: async (files) =>
          (await uploads.name(files)).uploads.map(({ key: id, name, hash, bytes }) => ({
            id,
            name,
            hash,
            bytes,
            state: 'pending' as const,
          })),
      },
      orders: {
        find: (id) => (states.has(id) ? order(id) : undefined),
        place: (given) => {
          placed.push(given);
          if (!states.has(given.id)) states.set(given.id, { state: 'waiting' });
          return Promise.resolve(order(given.id));
        },
      },
      frozen: undefined,
      isShared: false,
      maxUploadBytes: 1_000_000,
      ...options,
    },
  });
  return {
    endpoint,
    url: endpoint.url,
    folder: folder.path,
    uploads,
    removed,
    placed,
    states,
    names: async () => [...(await uploads.read()).values()].flatMap(({ names }) => names).toSorted(),
    /** What lies in the folder of uploads on its way. */
    incoming: () => readdir(join(folder.path, 'uploads/incoming')).catch(() => []),
    [Symbol.asyncDispose]: async () => {
      await endpoint[Symbol.asyncDispose]();
      await folder.remove();
    },
  };
}

export const form = (files: Readonly<Record<string, string | Uint8Array>>): FormData => {
  const body = new FormData();
  for (const [name, bytes] of Object.entries(files)) body.append('file', new Blob([bytes]), name);
  return body;
};
export const errorOf = async (answer: Response): Promise<[number, string]> => [
  answer.status,
  ((await answer.json()) as { error: { code: string } }).error.code,
];
