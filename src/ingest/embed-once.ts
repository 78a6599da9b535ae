/** Equal texts share one vector: within a batch, within the run, and with what the index has already. */
import { culpritOf } from '../models/embed-parts.ts';
import type { Embed } from '../models/types.ts';
import { textHash } from '../store/digest.ts';
import type { Store } from '../store/types.ts';

/** What becomes a vector. */
export interface Passage {
  readonly title: string;
  readonly text: string;
}

/** A passage's vector, or why the model refuses it. */
export type Embedded = { readonly vector: Float32Array } | { readonly refused: unknown };

export interface EmbedOnce {
  /** @returns what became of each passage, in order, and how many texts were sent. @throws what `embed` throws of no text */
  (
    passages: readonly Passage[],
    signal: AbortSignal,
  ): Promise<{ readonly embedded: readonly Embedded[]; readonly sent: number }>;
}

/** Where words alone are searched. */
export const withoutVectors: EmbedOnce = async (passages) => ({
  embedded: passages.map(() => ({ vector: new Float32Array(0) })),
  sent: 0,
});

/** Vectors that are at hand: 2,048 of 1,024 numbers. What lies further back is in the index by then. */
const recentBytes = 8 * 1024 * 1024;

interface Order extends Passage {
  readonly hash: string;
  readonly settle: PromiseWithResolvers<Embedded>;
}

export interface EmbedOnceOptions {
  /**
   * The encoder reads the title too: then only passages that are equal in both share a vector, and only within the
   * run, because the index finds its vectors by text alone.
   */
  readonly titled?: boolean;
}

export function makeEmbedOnce(
  embed: Embed,
  store: Pick<Store, 'vectorsOf'>,
  { titled = false }: EmbedOnceOptions = {},
): EmbedOnce {
  const hashOf = ({ title, text }: Passage): string => textHash(titled ? `${title}\n${text}` : text);
  const recent = makeRecent(recentBytes);
  const underWay = new Map<string, Promise<Embedded>>();

  const resolve = ({ hash, settle }: Order, vector: Float32Array): void => {
    recent.keep(hash, vector);
    settle.resolve({ vector });
  };
  /** Settles each order; a text that the model refuses is taken out and the rest is sent again. */
  const fill = async (orders: readonly Order[], signal: AbortSignal): Promise<number> => {
    const isStored = orders.length > 0 && !titled;
    const stored = isStored ? await store.vectorsOf(orders.map(({ hash }) => hash)) : new Map();
    let left = orders.filter((order) => {
      const vector: Float32Array | undefined = stored.get(order.hash);
      if (vector !== undefined) resolve(order, vector);
      return vector === undefined;
    });
    while (left.length > 0) {
      try {
        const titles = titled ? { titles: left.map(({ title }) => title) } : {};
        const texts = left.map(({ text }) => text);
        const vectors = await embed({ texts, ...titles, kind: 'passage', signal });
        for (const [at, order] of left.entries()) resolve(order, vectors[at] ?? new Float32Array());
        return left.length;
      } catch (error) {
        const culprit = left[culpritOf(error) ?? -1];
        if (culprit === undefined) throw error;
        culprit.settle.resolve({ refused: error });
        left = left.filter((order) => order !== culprit);
      }
    }
    return 0;
  };

  return async (passages, signal) => {
    const orders: Order[] = [];
    const order = (passage: Passage, hash: string): Promise<Embedded> => {
      const made = makeOrder(passage, hash);
      underWay.set(hash, made.settle.promise);
      orders.push(made);
      return made.settle.promise;
    };
    const results = passages.map((passage) => {
      const hash = hashOf(passage);
      const vector = recent.get(hash);
      return vector === undefined ? (underWay.get(hash) ?? order(passage, hash)) : { vector };
    });
    try {
      const sent = await fill(orders, signal);
      return { embedded: await inTurn(results), sent };
    } catch (error) {
      for (const { settle } of orders) settle.reject(error);
      throw error;
    } finally {
      for (const { hash } of orders) underWay.delete(hash);
    }
  };
}

async function inTurn(results: readonly (Embedded | Promise<Embedded>)[]): Promise<Embedded[]> {
  const embedded: Embedded[] = [];
  for (const result of results) embedded.push(await result);
  return embedded;
}

function makeOrder({ title, text }: Passage, hash: string): Order {
  const settle = Promise.withResolvers<Embedded>();
  settle.promise.catch(() => undefined); // who waits for it, hears of it
  return { title, text, hash, settle };
}

interface Recent {
  get(hash: string): Float32Array | undefined;
  keep(hash: string, vector: Float32Array): void;
}

/** What was not asked for the longest goes first. */
function makeRecent(maxBytes: number): Recent {
  const vectors = new Map<string, Float32Array>();
  let bytes = 0;
  return {
    get: (hash) => {
      const vector = vectors.get(hash);
      if (vector === undefined) return undefined;
      vectors.delete(hash);
      vectors.set(hash, vector);
      return vector;
    },
    keep: (hash, vector) => {
      vectors.set(hash, vector);
      bytes += vector.byteLength;
      if (bytes <= maxBytes) return;
      // A quarter at once: whoever looks for the first of a Map steps over all that were deleted before it.
      for (const [oldest, { byteLength }] of vectors) {
        vectors.delete(oldest);
        bytes -= byteLength;
        if (bytes <= 0.75 * maxBytes) return;
      }
    },
  };
}
