/** Files on their way to a supervisor that cannot see them: each is sent by its hash, unless it has it. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { z } from 'zod';
import { messageOf } from '../errors.ts';
import { concurrently } from '../ingest/concurrently.ts';
import { withNumberSigns } from '../ingest/listing-keys.ts';
import { listInputs, type ListedItem } from '../ingest/listing.ts';
import type { Failure, Inputs } from '../work.ts';
import type { Connection } from './connection.ts';

export interface SentFile {
  readonly name: string;
  readonly hash: string;
  readonly bytes: number;
}

export interface SentFiles {
  readonly files: readonly SentFile[];
  /** What could not be read here. */
  readonly failures: readonly Failure[];
}

export interface SendingInput {
  readonly inputs: Inputs;
  /** How many are there already or sent, and how many were found so far. */
  readonly onSent: (sent: number, found: number) => void;
  readonly signal: AbortSignal;
}

/** Files in one question; a thousand hashes are 70 KB. */
const asked = 256;
/** One hashes while another is on its way. */
const atOnce = 4;

/** @throws no-input, what the supervisor says, service-failed, aborted */
export async function sendFiles(
  connection: Connection,
  { inputs, onSent, signal }: SendingInput,
): Promise<SentFiles> {
  const files: SentFile[] = [];
  const failures: Failure[] = [];
  let [found, sent] = [0, 0];
  const listed = counted(listInputs(inputs, signal), () => (found += 1));
  for await (const batch of inBatches(concurrently(listed, atOnce, hashed))) {
    const here = batch.flatMap((one) => ('file' in one ? [one] : []));
    failures.push(...batch.flatMap((one) => ('failure' in one ? [one.failure] : [])));
    const missing = new Set(await missingOf(connection, here, signal));
    const send = onceEach((each: Hashed) => sendOne(connection, each, signal));
    const sendMissing = async (each: Hashed): Promise<Sent> =>
      missing.has(each.file.hash) ? await send(each) : { file: each.file };
    for await (const one of concurrently(here, atOnce, sendMissing)) {
      if ('failure' in one) failures.push(one.failure);
      else files.push(one.file);
      onSent((sent += 1), found);
    }
  }
  return { files, failures };
}

interface Hashed {
  readonly path: string;
  readonly file: SentFile;
}

interface Failed {
  readonly failure: Failure;
}

const failed = (document: string, reason: string): Failed => ({
  failure: { document, state: 'failed', reason },
});

async function hashed(item: ListedItem): Promise<Hashed | Failed> {
  if (item.kind === 'failed') return failed(item.key, item.reason);
  const { key, path } = item;
  try {
    const hash = createHash('sha256');
    let bytes = 0;
    for await (const piece of createReadStream(path) as AsyncIterable<Buffer>) {
      hash.update(piece);
      bytes += piece.length;
    }
    return { path, file: { name: withNumberSigns(key), hash: hash.digest('hex'), bytes } };
  } catch (error) {
    return failed(key, messageOf(error));
  }
}

const missingSchema = z.object({ missing: z.array(z.string()) });

async function missingOf(
  connection: Connection,
  here: readonly Hashed[],
  signal: AbortSignal,
): Promise<string[]> {
  const hashes = [...new Set(here.map(({ file }) => file.hash))];
  if (hashes.length === 0) return [];
  return (await connection.askJson('/documents/missing', { json: { hashes }, signal }, missingSchema))
    .missing;
}

type Sent = { readonly file: SentFile } | Failed;

/** Of files with the same bytes one is sent. Where it fails the next is: only one of them may have changed. */
function onceEach(send: (one: Hashed) => Promise<Sent>): (one: Hashed) => Promise<Sent> {
  const sent = new Map<string, Promise<Sent>>();
  return async (one) => {
    const { file } = one;
    for (;;) {
      const other = sent.get(file.hash);
      if (other === undefined) {
        const own = send(one);
        sent.set(file.hash, own);
        return own;
      }
      if ('file' in (await other)) return { file };
      if (sent.get(file.hash) === other) sent.delete(file.hash);
    }
  };
}

/** A file that changes while it is read, or is too large, is one that failed; a full disk there ends all. */
async function sendOne(connection: Connection, { path, file }: Hashed, signal: AbortSignal): Promise<Sent> {
  const { bytes: length } = file;
  const body = length === 0 ? Readable.from([]) : createReadStream(path, { end: length - 1 });
  const bytes = { body, length };
  const reply = await connection.send(`/documents/contents/${file.hash}`, { method: 'PUT', bytes, signal });
  if (reply.state === 'answered') {
    // It was kept, whatever becomes of the rest of the answer.
    await reply.body.json().catch(() => undefined);
    return { file };
  }
  if (reply.state === 'refused' && ['usage', 'too-large'].includes(reply.code))
    return failed(file.name, reply.error.message);
  if ((await sizeOf(path)) !== length) return failed(file.name, 'it changed while it was sent');
  throw reply.error;
}

const sizeOf = (path: string): Promise<number> =>
  stat(path).then(
    ({ size }) => size,
    () => -1,
  );

async function* counted<T>(items: AsyncIterable<T>, count: () => void): AsyncGenerator<T> {
  for await (const item of items) {
    count();
    yield item;
  }
}

async function* inBatches<T>(items: AsyncIterable<T>): AsyncGenerator<T[]> {
  let batch: T[] = [];
  for await (const item of items) {
    batch.push(item);
    if (batch.length < asked) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
