/** An ingest that is ordered over a connection that breaks. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempDisposable, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { json } from 'node:stream/consumers';
import { openConnection } from '../../src/client/connection.ts';
import { cancelIngest, orderIngest } from '../../src/client/order-ingest.ts';
import type { IngestProgress } from '../../src/work.ts';

const never = new AbortController().signal;
const report = {
  documents: { processed: 1, unchanged: 0, failed: 0, needs_ocr: 0 },
  chunks: 3,
  complete: true,
};

type Answer = (reply: ServerResponse, asked: IncomingMessage) => void;

/** Answers with these one after the other, and with the last again. */
async function open(answers: readonly Answer[]) {
  const folder = await mkdtempDisposable(join(tmpdir(), 'rag-order-'));
  const socketPath = join(folder.path, 'rag.sock');
  const bodies: unknown[] = [];
  const server = createServer((asked, reply) => {
    const next = async (): Promise<void> => {
      const answer = answers[Math.min(bodies.length, answers.length - 1)];
      bodies.push(asked.method === 'POST' ? await json(asked) : asked.url);
      answer?.(reply, asked);
    };
    void next();
  }).listen(socketPath);
  await once(server, 'listening');
  const connection = await openConnection({ socketPath, name: 'job 17' });
  const seen: number[] = [];
  const told: string[] = [];
  return {
    bodies,
    seen,
    told,
    connection,
    /** The supervisor is gone, and so is its socket. */
    end: async () => {
      server.close();
      server.closeAllConnections();
      await rm(socketPath, { force: true });
    },
    order: (signal: AbortSignal = never, silenceMs?: number) =>
      orderIngest(connection, {
        id: 'order-17',
        what: { files: [] },
        onProgress: ({ documentsDone }: IngestProgress) => seen.push(documentsDone),
        onLost: () => told.push('lost'),
        signal,
        ...(silenceMs !== undefined && { longestSilenceMs: silenceMs, againMs: 10 }),
      }),
    [Symbol.asyncDispose]: async () => {
      await connection[Symbol.asyncDispose]();
      server.close();
      server.closeAllConnections();
      await folder.remove();
    },
  };
}

const line = (value: object): string => `${JSON.stringify(value)}\n`;
const progress = (documentsDone: number): string => line({ progress: { documentsDone, documentsTotal: 9 } });

const breaksOff: Answer = (reply) => {
  reply.write(progress(1));
  reply.write(progress(2), () => reply.destroy());
};
const neverAnswers: Answer = (_, asked) => void asked.socket.destroy();
const ends: Answer = (reply) => void reply.end(progress(3) + line({ report }));

test('a connection that breaks, before an answer or in the midst, is made again with the same id', async () => {
  await using there = await open([neverAnswers, breaksOff, neverAnswers, ends]);
  const ordered = await there.order(never, 60_000);
  assert.deepEqual(ordered, { state: 'done', report });
  assert.deepEqual(
    there.bodies,
    Array.from({ length: 4 }, () => ({ id: 'order-17', files: [] })),
  );
  assert.deepEqual(there.seen, [1, 2, 3]);
  assert.deepEqual(there.told, ['lost', 'lost'], 'each time that nobody answers, once');
});

test('a supervisor that stays away is given up, and that is said as a stop', async () => {
  await using there = await open([breaksOff]);
  await there.end();
  await assert.rejects(there.order(never, 100), {
    code: 'stopped',
    message: /job 17 does not answer any more/,
  });
});

test('what the supervisor refuses or fails with comes as it is, and is not asked again', async () => {
  const error = { code: 'other-files', message: 'Cannot ingest in place', hint: null };
  const refuses: Answer = (reply) => void reply.writeHead(409).end(JSON.stringify({ error }));
  await using refusing = await open([refuses]);
  const ordered = await refusing.order();
  assert.ok(ordered.state === 'refused' && ordered.code === 'other-files');
  const full = { code: 'disk-full', message: 'Cannot write', hint: 'df' };
  await using failing = await open([(reply) => void reply.end(line({ error: full }))]);
  await assert.rejects(failing.order(), { code: 'disk-full', hint: 'df' });
  assert.equal(failing.bodies.length, 1);
});

test('who stops waiting has not stopped the ingest; who cancels it gets its report', async () => {
  const stop = new AbortController();
  await using there = await open([(reply) => void reply.write(progress(1), () => stop.abort()), ends]);
  await assert.rejects(there.order(stop.signal), { code: 'aborted' });
  const onProgress = (): void => undefined;
  assert.deepEqual(await cancelIngest(there.connection, 'order-17', { onProgress, signal: never }), report);
  assert.equal(there.bodies.at(-1), '/ingest/order-17');
});
