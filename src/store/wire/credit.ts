/**
 * Lets work begin while no more than `maxBytes` of it are under way, in the order of the calls. One piece that
 * is larger than all of it goes alone.
 */
export type Credit = <Out>(bytes: number, work: () => Promise<Out>) => Promise<Out>;

export function makeCredit(maxBytes: number): Credit {
  let used = 0;
  const waiting: { readonly bytes: number; readonly begin: () => void }[] = [];
  const fits = (bytes: number): boolean => used === 0 || used + bytes <= maxBytes;
  const admit = (): void => {
    for (let next = waiting[0]; next !== undefined && fits(next.bytes); next = waiting[0]) {
      waiting.shift();
      used += next.bytes;
      next.begin();
    }
  };
  return async (bytes, work) => {
    await new Promise<void>((begin) => {
      waiting.push({ bytes, begin });
      admit();
    });
    try {
      return await work();
    } finally {
      used -= bytes;
      admit();
    }
  };
}
