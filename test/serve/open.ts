import { mkdtempDisposable } from 'node:fs/promises';
import { type IncomingHttpHeaders, request, type RequestOptions } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Endpoint, type EndpointOptions, openEndpoint } from '../../src/serve/serve.ts';
import { examplePicture } from '../page/example.ts';
import type { Hit } from '../../src/work.ts';
import { ollamaOf } from './model-servers.ts';

export const hit = (chunk: string, more: Partial<Hit> = {}): Hit => ({
  chunk,
  document: `${chunk}.pdf`,
  id: `${chunk}.pdf`,
  title: `Title of ${chunk}`,
  file: `${chunk}.pdf`,
  page: 1,
  pageEnd: 1,
  start: 0,
  end: 4,
  headings: [],
  text: `Text of ${chunk}\nin two lines`,
  score: 0.5,
  stage: 'fused',
  ...more,
});

/** An endpoint on a free port and a Unix socket in a folder of its own, both gone when disposed. */
export async function open(
  options: Partial<EndpointOptions> = {},
): Promise<Endpoint & { socketPath: string }> {
  const dir = await mkdtempDisposable(join(tmpdir(), 'rag-serve-'));
  const socketPath = options.socketPath ?? join(dir.path, 'run', 'rag.sock');
  const endpoint = await openEndpoint({
    work: {
      retrieve: ({ queries, topk }) =>
        Promise.resolve(queries.map((query) => [hit(query), hit('other')].slice(0, topk))),
      query: () => Promise.reject(new Error('not asked for')),
    },
    ollama: ollamaOf({}),
    host: '127.0.0.1',
    port: 0,
    ownerUid: process.getuid?.() ?? 0,
    defaultTopk: 3,
    documents: emptyLibrary,
    page: { picture: (seen) => examplePicture({ seen }), metrics: () => Promise.resolve('rag_phase 1\n') },
    state: () => ({ job: '17', phase: 'answering' }),
    readiness: () => ({ ready: true, missing: [] }),
    ...options,
    socketPath,
  });
  return {
    ...endpoint,
    socketPath,
    async [Symbol.asyncDispose]() {
      await endpoint[Symbol.asyncDispose]();
      await dir.remove();
    },
  };
}

/** It has nothing, keeps nothing, and every ingest has failed. */
const emptyLibrary: NonNullable<EndpointOptions['documents']> = {
  library: {
    documents: () => Promise.resolve({ documents: [], next: null }),
    document: () => Promise.resolve(undefined),
    remove: () => Promise.resolve([]),
    missing: (hashes) => Promise.resolve(hashes),
    keep: () => Promise.resolve({ hash: '0'.repeat(64), bytes: 0 }),
    upload: () => Promise.resolve([]),
  },
  orders: {
    find: () => undefined,
    place: ({ id }) =>
      Promise.resolve({
        id,
        current: () => ({ state: 'failed', error: { code: 'aborted', message: 'Cannot: cancelled' } }),
        listen: () => ({ [Symbol.dispose]: () => undefined }),
        cancel: () => undefined,
      }),
  },
  frozen: undefined,
  isShared: false,
  maxUploadBytes: 1000,
};

export const post = (url: string, body: unknown, init: RequestInit = {}): Promise<Response> =>
  fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
    ...init,
  });

export interface Answer {
  readonly status: number;
  /** Content-Type. */
  readonly type: string;
  readonly text: string;
  readonly headers: IncomingHttpHeaders;
}

/** For what fetch() cannot do: a Unix socket, a Host or Origin of one's choice. */
export const ask = (options: RequestOptions, body?: string): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const outgoing = request({ agent: false, ...options }, (incoming) => {
      let text = '';
      incoming.setEncoding('utf8');
      incoming.on('data', (piece: string) => (text += piece));
      incoming.on('end', () =>
        resolve({
          status: incoming.statusCode ?? 0,
          type: incoming.headers['content-type'] ?? '',
          text,
          headers: incoming.headers,
        }),
      );
      incoming.on('error', reject);
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
