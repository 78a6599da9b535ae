/**
 * A Bloom filter over the texts of an index: whether a text may be there is known without a question to the tables,
 * which costs some milliseconds each and for a new corpus is always answered with no. 2.5 bytes a text; one text in
 * some 10,000 is taken for one that is there.
 */
export interface TextFilter {
  /** @param digest whole number below 2^52 */
  add(digest: number): void;
  mayHave(digest: number): boolean;
}

/** A layer of 4 MiB is made for every 1.6 million texts. */
const layerBits = 2 ** 25;
const textsPerLayer = Math.floor(layerBits / 20);
const probes = 10;

export function makeTextFilter(): TextFilter {
  const layers: Uint32Array[] = [];
  let room = 0;
  return {
    add: (digest) => {
      if (room === 0) {
        layers.push(new Uint32Array(layerBits / 32));
        room = textsPerLayer;
      }
      const layer = layers.at(-1);
      if (layer === undefined || isIn(layer, digest)) return;
      room -= 1;
      const { first, step } = halves(digest);
      for (let probe = 0; probe < probes; probe++) {
        const bit = (first + probe * step) & (layerBits - 1);
        layer[bit >>> 5] = (layer[bit >>> 5] ?? 0) | (1 << (bit & 31));
      }
    },
    mayHave: (digest) => layers.some((layer) => isIn(layer, digest)),
  };
}

function isIn(layer: Uint32Array, digest: number): boolean {
  const { first, step } = halves(digest);
  for (let probe = 0; probe < probes; probe++) {
    const bit = (first + probe * step) & (layerBits - 1);
    if (((layer[bit >>> 5] ?? 0) & (1 << (bit & 31))) === 0) return false;
  }
  return true;
}

/** Two numbers of 26 bits, the second odd, so that the probes of a text differ. */
const halves = (digest: number): { readonly first: number; readonly step: number } => ({
  first: digest % 2 ** 26,
  step: Math.floor(digest / 2 ** 26) | 1,
});
