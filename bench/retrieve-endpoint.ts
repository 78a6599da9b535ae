/** What a client of `/retrieve` waits, beyond the search and beside other clients. */
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { makeFlights } from '../src/models/flights.ts';
import { toRetrievedHit } from '../src/query/contents.ts';
import { openEndpoint } from '../src/serve/serve.ts';
import type { RetrieveRequest, Work } from '../src/work.ts';
import type { FilledIndex } from './retrieve-index.ts';

const questions = 200;
/** Of each kind, asked once. */
const from = { tcp: 4_000, socket: 5_000, bare: 6_000 };

type Asked = Pick<FilledIndex, 'work' | 'question'>;

export interface Overhead {
  readonly tcp: number[];
  readonly socket: number[];
  /** By the socket, of questions that the cache knows. */
  readonly atHand: number[];
  /** By a socket of node:http with nothing around it: what is left is the machine's. */
  readonly bare: number[];
}

/** What a client waits beyond the search, question by question: transport, checks, JSON. */
export async function measureOverhead(
  { work, question }: Asked,
  folder: string,
  warmUps: number,
): Promise<Overhead> {
  let searched: number[] = [];
  const retrieve = async (request: RetrieveRequest): ReturnType<Work['retrieve']> => {
    const started = performance.now();
    const hits = await work.retrieve(request);
    searched.push(performance.now() - started);
    return hits;
  };
  await using endpoint = await open(retrieve, folder);
  await using bare = await openBare(retrieve, join(folder, 'bare.sock'));
  const above = async (first: number, socketPath: string): Promise<number[]> => {
    searched = [];
    const texts = Array.from({ length: questions }, (_, n) => question(first + n).text);
    const waited = await ask({ url: endpoint.url, socketPath, folder, texts, callers: 1 });
    const last = searched.slice(-waited.length); // the client has asked to warm up
    return waited.map((ms, n) => ms - (last[n] ?? 0)).slice(warmUps);
  };
  const socketPath = endpoint.socketPath ?? '-';
  const tcp = await above(from.tcp, '-');
  const socket = await above(from.socket, socketPath);
  const atHand = await above(from.socket, socketPath);
  return { tcp, socket, atHand, bare: await above(from.bare, bare.socketPath) };
}

/** How long each of eight clients' questions takes that nobody has asked before. */
export async function measureCallers(
  { work, question }: Asked,
  folder: string,
  first: number,
): Promise<number[]> {
  await using endpoint = await open((request) => work.retrieve(request), folder);
  const texts = Array.from({ length: 5 * questions }, (_, n) => question(first + n).text);
  const socketPath = endpoint.socketPath ?? '-';
  return await ask({ url: endpoint.url, socketPath, folder, texts, callers: 8 });
}

const open = (retrieve: Work['retrieve'], folder: string): ReturnType<typeof openEndpoint> =>
  openEndpoint({
    work: { retrieve, query: () => Promise.reject(new Error('Nothing is generated here')) },
    ollama: {
      models: [],
      instances: () => [],
      onChange: () => () => undefined,
      frozen: () => undefined,
      flights: makeFlights(),
    },
    host: '127.0.0.1',
    port: 0,
    socketPath: join(folder, 'endpoint', 'rag.sock'),
    ownerUid: process.getuid?.() ?? 0,
    defaultTopk: 5,
    state: () => ({}),
    readiness: () => ({ ready: true, missing: [] }),
  });

async function openBare(
  retrieve: Work['retrieve'],
  socketPath: string,
): Promise<AsyncDisposable & { readonly socketPath: string }> {
  const { signal } = new AbortController();
  const server = createServer((request, response) => {
    void (async () => {
      const { queries } = JSON.parse(await text(request)) as { queries: string[] };
      const lists = await retrieve({ queries, topk: 5, signal });
      const answer = JSON.stringify({ result: lists.map((hits) => hits.map(toRetrievedHit)) });
      response.setHeader('content-type', 'application/json').end(answer);
    })();
  });
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  return {
    socketPath,
    async [Symbol.asyncDispose]() {
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface Client {
  readonly url: string;
  readonly socketPath: string;
  readonly folder: string;
  readonly texts: readonly string[];
  readonly callers: number;
}

async function ask({ url, socketPath, folder, texts, callers }: Client): Promise<number[]> {
  const file = join(folder, 'queries.json');
  writeFileSync(file, JSON.stringify(texts));
  const program = join(import.meta.dirname, 'retrieve-client.ts');
  const words = [program, url, socketPath, file, String(callers)];
  const { stdout } = await promisify(execFile)(process.execPath, words);
  return JSON.parse(stdout) as number[];
}
