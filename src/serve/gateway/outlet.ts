/**
 * The way of an answer to its client: a few MiB may wait in front of a slow one, so that its answer is finished and the
 * model server free; then it is read no faster than the client reads. One that takes nothing at all is cut off, because
 * the server works on nothing else until the rest of its answer is taken.
 */
import { once } from 'node:events';
import type { FastifyReply } from 'fastify';

export interface OutletBounds {
  /** Bytes that wait before it is read no further. A long answer of 10,000 tokens has 1.5 MB. */
  readonly waitingBytes: number;
  /** For one that takes nothing. Shorter than the silence after which a model server counts as hung. */
  readonly stillMs: number;
}

export const outletBounds: OutletBounds = { waitingBytes: 4 * 2 ** 20, stillMs: 60_000 };

export interface Outlet extends Disposable {
  /** Undefined: go on at once. @throws gone (by the signal's reason) when the client leaves or is cut off */
  write(piece: Uint8Array | string): Promise<void> | undefined;
  end(): void;
  /** In the middle of the answer: the client must see that it is not whole. */
  cut(): void;
}

export type Headers = Readonly<Record<string, string>>;

/** From here on the reply is ours. @param gone aborted when the client leaves */
export function openOutlet(
  reply: FastifyReply,
  headers: Headers,
  gone: AbortSignal,
  { waitingBytes, stillMs }: OutletBounds = outletBounds,
): Outlet {
  const { raw } = reply.hijack();
  raw.writeHead(200, { ...(reply.getHeaders() as Record<string, string>), ...headers });
  let given = 0;
  let last: Still | undefined;
  const look = (): void => {
    last = lookAt(last, given - raw.writableLength, raw.writableLength);
    if (last?.looks === 2) raw.destroy();
  };
  // Also after its end: what nobody takes would be held for ever.
  const timer = setInterval(look, stillMs / 2).unref();
  raw.once('close', () => clearInterval(timer));
  const untilTaken = async (): Promise<void> => void (await once(raw, 'drain', { signal: gone }));
  return {
    write: (piece) => {
      given += piece.length;
      raw.write(piece);
      return raw.writableLength > waitingBytes ? untilTaken() : undefined;
    },
    end: () => void raw.end(),
    cut: () => void raw.destroy(),
    [Symbol.dispose]: () => {
      if (!raw.writableEnded) raw.destroy();
    },
  };
}

/** Something waits for the client, and so much it has taken at the last looks. */
interface Still {
  readonly taken: number;
  /** How many looks found the same. */
  readonly looks: number;
}

/** Pure. Two looks that find the same: it takes nothing. */
export const lookAt = (before: Still | undefined, taken: number, waiting: number): Still | undefined =>
  waiting === 0 ? undefined : { taken, looks: before?.taken === taken ? before.looks + 1 : 1 };
