/** Questions and retrievals, asked of a running supervisor. */
import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { RagError } from '../errors.ts';
import type { AnswerRecord, QueryRequest } from '../work.ts';
import { type Body, type Connection, linesOf, refusalOf, type Sent } from './connection.ts';

/** A hit as `/retrieve` gives it; see query/contents.ts. */
export interface RemoteHit {
  readonly document: {
    readonly title: string;
    readonly contents: string;
    readonly file: string;
    readonly page: number | null;
  } & Readonly<Record<string, unknown>>;
  readonly score: number;
}

interface Asked {
  readonly query: string;
  /** Undefined: the supervisor's own. */
  readonly topk: number | undefined;
  /** As on a command line. */
  readonly filter: readonly string[] | undefined;
  readonly signal: AbortSignal;
}

export interface RemoteQuestion extends Asked, Pick<QueryRequest, 'onText'> {
  /** One of many: waits while the supervisor answers others, or cannot generate yet. */
  readonly isPatient?: boolean;
}

/** @throws what the supervisor says; service-failed when it cannot be reached; model-unavailable, aborted */
export async function askQuery(
  connection: Connection,
  { query, topk, filter, onText, isPatient = false, signal }: RemoteQuestion,
): Promise<AnswerRecord> {
  const sent = { json: { query, topk, filter }, signal };
  const body = isPatient
    ? await untilTaken(connection, '/query/stream', sent)
    : await connection.ask('/query/stream', sent);
  try {
    for await (const line of linesOf(body)) {
      const said = JSON.parse(line) as { response?: string; record?: AnswerRecord; error?: unknown };
      if (said.response !== undefined) onText?.(said.response);
      if (said.error !== undefined) throw refusalOf(line).error;
      if (said.record !== undefined) return said.record;
    }
  } catch (cause) {
    if (cause instanceof RagError) throw cause;
    if (signal.aborted)
      throw new RagError('aborted', `Cannot wait for ${connection.name}: it was cancelled`, { cause });
    throw brokenOff(connection, cause);
  }
  throw brokenOff(connection);
}

/** Between two attempts where the supervisor does not say when to come back. */
const againMs = 1000;

async function untilTaken(connection: Connection, path: string, sent: Sent): Promise<Body> {
  for (;;) {
    const reply = await connection.send(path, sent);
    if (reply.state === 'answered') return reply.body;
    const seconds = reply.state === 'refused' ? reply.retryAfterSeconds : undefined;
    const isBusy = reply.state === 'refused' && reply.code === 'busy';
    if (seconds === undefined && !isBusy) throw reply.error;
    await pause(seconds === undefined ? againMs : seconds * 1000, undefined, { signal: sent.signal }).catch(
      () => undefined,
    );
  }
}

const brokenOff = ({ name }: Connection, cause?: unknown): RagError =>
  new RagError('model-unavailable', `Cannot read the answer of ${name}: it broke off`, { cause });

const retrieved = z.object({ result: z.array(z.array(z.custom<RemoteHit>())) });

/** @throws as `askQuery` */
export async function askRetrieve(
  connection: Connection,
  { query, topk, filter, signal }: Asked,
): Promise<RemoteHit[]> {
  const json = { queries: [query], topk, filter, return_scores: true };
  const { result } = await connection.askJson('/retrieve', { json, signal }, retrieved);
  return result[0] ?? [];
}
