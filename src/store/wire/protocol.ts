import type { PlainError } from '../../errors.ts';
import type { ChunkRow, Store } from '../types.ts';

/**
 * What travels between the store's client and its host, by Node messages with structured clone. The host
 * says `Ready` once, then answers every request once, in any order.
 */

/** Rows as they travel: one block of vectors for all of them, which is cheaper to clone than one each. */
export interface PackedRows {
  readonly rows: readonly Omit<ChunkRow, 'vector'>[];
  /** The vectors one after the other, in the order of the rows. */
  readonly vectors: Float32Array;
}

/** What the host does: the store's operations, with packed rows and without signals, which cannot travel. */
export interface Operations extends Omit<Store, 'append' | 'consolidate' | 'tune'> {
  append(packed: PackedRows): ReturnType<Store['append']>;
  consolidate(): Promise<void>;
  tune(questions: readonly Float32Array[], depth: number): ReturnType<Store['tune']>;
}

export type Operation = keyof Operations;

export interface Request<Op extends Operation = Operation> {
  readonly id: number;
  readonly op: Op;
  readonly args: Readonly<Parameters<Operations[Op]>>;
}

export type Reply =
  | { readonly id: number; readonly ok: true; readonly value: unknown }
  | { readonly id: number; readonly error: PlainError };

/** The first message of the host: its native library is loaded and it takes requests. */
export interface Ready {
  readonly ready: true;
  readonly pid: number;
}

/** Asks whether the host's event loop turns. Answered at once, beside whatever is under way. */
export interface Ping {
  readonly op: 'ping';
}

export const isReply = (message: unknown): message is Reply =>
  typeof message === 'object' &&
  message !== null &&
  'id' in message &&
  ('ok' in message || 'error' in message);
