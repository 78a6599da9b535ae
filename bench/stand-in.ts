#!/usr/bin/env node
/**
 * A model server for benchmarks: `ollama serve` as far as the program asks it, with a model that takes
 * STAND_IN_MS milliseconds per text and works on one text at a time, as the real one does. On TERM it writes what
 * it has done to `STAND_IN_RECORD/<uuid>.json`.
 */
import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeRandom } from './corpus.ts';

export interface StandInRecord {
  /** Milliseconds since 1970 at which it began to listen, was first given texts, and gave its last vectors. */
  readonly listeningAt: number;
  readonly firstWorkAt: number;
  readonly lastWorkAt: number;
  readonly texts: number;
  /** Time in which its model worked. */
  readonly busyMs: number;
  /** Its own CPU time. */
  readonly cpuSeconds: number;
}

const dimensions = Number(process.env['STAND_IN_DIMENSIONS'] ?? 1024);
const msPerText = Number(process.env['STAND_IN_MS'] ?? 0);
const tokens = Number(process.env['STAND_IN_TOKENS'] ?? 0);
const msPerToken = Number(process.env['STAND_IN_TOKEN_MS'] ?? 20);
const models = ['qwen3:235b', 'qwen3-embedding:8b'];

/** Vectors of length 1 as a server prints them, made once: the machine's cores are for the program. */
const vectors = Array.from({ length: 64 }, (_, seed) => {
  const random = makeRandom(seed + 1);
  const values = Array.from({ length: dimensions }, () => random() - 0.5);
  const norm = Math.hypot(...values);
  return Buffer.from(JSON.stringify(values.map((value) => Number((value / norm).toPrecision(8)))));
});
const vectorOf = (text: string): Buffer =>
  vectors[(text.length * 31 + text.charCodeAt(text.length >> 1)) % vectors.length] ?? Buffer.alloc(0);

const done = { listeningAt: 0, firstWorkAt: 0, lastWorkAt: 0, texts: 0, busyMs: 0 };
let freeAt = 0;
let loaded = 'none';

/** A clock of its own keeps the model busy through late timers, as long as the next texts are already there. */
async function work(texts: number): Promise<void> {
  const cost = texts * msPerText;
  freeAt = Math.max(performance.now(), freeAt) + cost;
  done.firstWorkAt ||= Date.now();
  const waitMs = freeAt - performance.now();
  if (waitMs > 0) await sleep(waitMs);
  done.lastWorkAt = Date.now();
  done.texts += texts;
  done.busyMs += cost;
}

async function embed(input: string | readonly string[], response: ServerResponse): Promise<void> {
  const texts = typeof input === 'string' ? [input] : input;
  // The probe for readiness is one text; what is measured comes in batches or with real texts.
  if (texts[0] !== 'Ready?') await work(texts.length);
  const rows = texts.flatMap((text, at) => (at === 0 ? [vectorOf(text)] : [comma, vectorOf(text)]));
  response.setHeader('content-type', 'application/json');
  response.end(Buffer.concat([head, ...rows, tail]));
}
const [head, comma, tail] = ['{"embeddings":[', ',', ']}'].map((text) => Buffer.from(text)) as [
  Buffer,
  Buffer,
  Buffer,
];

/** The time as all processes of a machine have it, in fractions of a millisecond. */
const now = (): number => performance.timeOrigin + performance.now();

const lineOf = (content: string, done: boolean): string =>
  `${JSON.stringify({ model: loaded, created_at: new Date().toISOString(), message: { role: 'assistant', content }, done })}\n`;

/** By a clock of its own: a late timer must not make the whole answer late. */
async function write(response: ServerResponse): Promise<void> {
  response.setHeader('content-type', 'application/x-ndjson');
  const begun = performance.now() + Math.random() * msPerToken;
  for (let n = 0; n < tokens && !response.destroyed; n += 1) {
    await sleep(Math.max(0, begun + n * msPerToken - performance.now()));
    response.write(lineOf(String(now()), false));
  }
  response.end(lineOf('', true));
}

const flood = Buffer.from(lineOf('x'.repeat(2 ** 16), false));

function pour(response: ServerResponse, left: number): void {
  for (let rest = left; rest > 0; rest -= flood.length) {
    if (response.write(flood)) continue;
    return void response.once('drain', () => pour(response, rest - flood.length));
  }
  response.end(lineOf('', true));
}

const describe = (name: string): object => ({ name, model: name, digest: name, size: 1, size_vram: 1 });

interface Asked {
  readonly model: string;
  readonly input?: string | readonly string[];
  readonly messages?: readonly object[];
  readonly options?: { readonly num_predict?: number };
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const pieces: Buffer[] = [];
  for await (const piece of request as AsyncIterable<Buffer>) pieces.push(piece);
  const send = (value: unknown): void => void response.end(JSON.stringify(value));
  if (request.url === '/api/version') return send({ version: '0.33.0' });
  if (request.url === '/api/tags') return send({ models: models.map(describe) });
  if (request.url === '/api/ps') return send({ models: [describe(loaded)] });
  const body = JSON.parse(Buffer.concat(pieces).toString()) as Asked;
  loaded = body.model;
  if ((body.options?.num_predict ?? 0) > 100_000) return pour(response, 64 * 2 ** 20);
  if (request.url === '/api/chat' && tokens > 0 && (body.messages?.length ?? 0) > 0) return write(response);
  if (request.url === '/api/embed') return embed(body.input ?? [], response);
  return send({ message: { role: 'assistant', content: '' }, done: true, done_reason: 'stop' });
}

const server = createServer({ keepAliveTimeout: 0 }, (request, response) => void answer(request, response));
const [host, port] = (process.env['OLLAMA_HOST'] ?? '127.0.0.1:0').split(':');
server.listen(Number(port), host, () => {
  done.listeningAt = Date.now();
  const address = server.address();
  if (typeof address === 'object') process.stdout.write(`${address?.port}\n`);
});

process.on('SIGTERM', () => {
  const { user, system } = process.cpuUsage();
  const record: StandInRecord = { ...done, cpuSeconds: (user + system) / 1e6 };
  const folder = process.env['STAND_IN_RECORD'];
  if (folder !== undefined) writeFileSync(join(folder, `${randomUUID()}.json`), JSON.stringify(record));
  process.exit(0);
});
