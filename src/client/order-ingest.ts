/** An ingest that a running supervisor does: ordered, followed, and asked for again where the connection breaks. */
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { RagError } from '../errors.ts';
import type { IngestProgress, IngestReport } from '../work.ts';
import { type Connection, linesOf, refusalOf } from './connection.ts';

export interface OrderInput {
  /** Of the body of `POST /ingest`, beside its id. */
  readonly what: object;
  readonly id: string;
  readonly onProgress: (progress: IngestProgress) => void;
  /** Called once when nobody answers any more. */
  readonly onLost: (why: string) => void;
  readonly signal: AbortSignal;
  /** How long nobody may answer; default: a minute. */
  readonly longestSilenceMs?: number;
  /** From one attempt to the next. */
  readonly againMs?: number;
}

export const newOrderId = (): string => randomUUID();

export type Ordered =
  | { readonly state: 'done'; readonly report: IngestReport }
  /** The supervisor would not begin. */
  | { readonly state: 'refused'; readonly code: string; readonly error: RagError };

/** It says something every 15 seconds. */
const silenceMs = 45_000;

/**
 * The same id again is the same ingest: so whatever happened to an answer, asking once more is right.
 *
 * @throws what the ingest fails with; stopped when the supervisor is gone; aborted, and the ingest goes on
 */
export async function orderIngest(connection: Connection, input: OrderInput): Promise<Ordered> {
  // A supervisor that is put back into the queue is gone for longer: then that is said.
  const { longestSilenceMs = 60_000, againMs = 1000 } = input;
  let lostAt: number | undefined;
  for (;;) {
    // One attempt's own: of a connection that has become silent nothing else would ever be heard, its end neither.
    const attempt = new AbortController();
    const reply = await connection.send('/ingest', {
      json: { id: input.id, ...input.what },
      signal: AbortSignal.any([input.signal, attempt.signal]),
    });
    if (reply.state === 'refused') return reply;
    if (reply.state === 'answered') {
      const ended = await follow(reply.body, input, () => (lostAt = undefined));
      attempt.abort();
      if (ended !== undefined) return ended;
    }
    const why = reply.state === 'lost' ? reply.error : undefined;
    if (lostAt === undefined) input.onLost(why?.message ?? 'the connection broke');
    lostAt ??= performance.now();
    if (performance.now() - lostAt > longestSilenceMs) throw gone(connection, why);
    await pause(againMs, undefined, { signal: input.signal }).catch(() => undefined);
    if (input.signal.aborted)
      throw new RagError('aborted', `Cannot wait for ${connection.name}: it was cancelled`);
  }
}

/** @returns undefined when the connection broke */
async function follow(
  body: AsyncIterable<Uint8Array>,
  { onProgress, signal }: OrderInput,
  onHeard: () => void,
): Promise<Ordered | undefined> {
  try {
    for await (const line of unlessSilent(linesOf(body))) {
      onHeard();
      const said = lineSchema.parse(JSON.parse(line));
      if ('error' in said) throw refusalOf(line).error;
      if ('progress' in said) onProgress(said.progress as unknown as IngestProgress);
      if ('report' in said) return { state: 'done', report: said.report as unknown as IngestReport };
    }
    return undefined;
  } catch (error) {
    if (error instanceof RagError) throw error;
    if (signal.aborted)
      throw new RagError('aborted', 'Cannot wait for the ingest: it was cancelled', { cause: error });
    return undefined;
  }
}

const lineSchema = z.union([
  z.object({ error: z.looseObject({}) }),
  z.object({ progress: z.looseObject({ documentsDone: z.number() }) }),
  z.object({ report: z.looseObject({ documents: z.looseObject({}), complete: z.boolean() }) }),
  z.object({ ingest: z.looseObject({}) }),
]);

/** A connection whose other end is gone without a word is silent for ever. */
async function* unlessSilent(lines: AsyncGenerator<string>): AsyncGenerator<string> {
  try {
    for (;;) {
      const over = new AbortController();
      const late = pause(silenceMs, 'silent' as const, { signal: over.signal }).catch(
        () => 'silent' as const,
      );
      const next = await Promise.race([lines.next(), late]).finally(() => over.abort());
      if (next === 'silent' || next.done === true) return;
      yield next.value;
    }
  } finally {
    void lines.return(undefined).catch(() => undefined);
  }
}

/** @throws what the supervisor says; service-failed, aborted */
export async function cancelIngest(
  connection: Connection,
  id: string,
  input: Pick<OrderInput, 'onProgress' | 'signal'>,
): Promise<IngestReport> {
  const body = await connection.ask(`/ingest/${encodeURIComponent(id)}`, {
    method: 'DELETE',
    signal: input.signal,
  });
  const ended = await follow(body, { ...input, id, what: {}, onLost: () => undefined }, () => undefined);
  if (ended?.state === 'done') return ended.report;
  throw ended?.error ?? gone(connection);
}

const gone = ({ name }: Connection, cause?: unknown): RagError =>
  new RagError('stopped', `Cannot see the end of the ingest: ${name} does not answer any more`, {
    hint: 'the same command again, when it does: what is ingested is not ingested again',
    cause,
  });
