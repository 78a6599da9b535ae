/** Lines in the order of their questions, unless one question takes so long that too many lines wait for it. */
export interface InOrder {
  /** Writes what has its turn. */
  add(at: number, line: string): Promise<void>;
  /** Writes the rest, behind whatever gaps. */
  flush(): Promise<void>;
}

/**
 * @param turns positions of the questions, in order
 * @param most lines that may wait in memory, where a kill loses them
 */
export function makeInOrder(
  turns: readonly number[],
  most: number,
  write: (at: number, line: string) => Promise<void>,
): InOrder {
  const waiting = new Map<number, string>();
  /** Positions that were written behind a gap. */
  const early = new Set<number>();
  const queue = turns.values();
  let next = queue.next();
  const take = async (at: number): Promise<void> => {
    const line = waiting.get(at) ?? '';
    waiting.delete(at);
    await write(at, line);
  };
  const flush = async (): Promise<void> => {
    for (const at of [...waiting.keys()].toSorted((a, b) => a - b)) {
      early.add(at);
      await take(at);
    }
  };
  return {
    flush,
    add: async (at, line) => {
      waiting.set(at, line);
      for (; next.done !== true && (waiting.has(next.value) || early.has(next.value)); next = queue.next())
        if (!early.delete(next.value)) await take(next.value);
      if (waiting.size > most) await flush();
    },
  };
}
