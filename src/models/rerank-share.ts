/** How the passages of one query are shared out over children. Pure. */

/** What goes to one child in one frame. */
export interface Part {
  /** Position of the child. */
  readonly lane: number;
  /** Positions of its passages in the list, the longest first. */
  readonly places: readonly number[];
  /** The sum of their sizes. */
  readonly weight: number;
}

/** A child answers frame by frame: of fewer passages a pass is not full, of more a short question waits for long. */
const maxPassages = 256;
/** Far below the 64 MiB that a frame may have, whatever JSON makes of a character. */
const maxCharacters = 4 * 2 ** 20;

/**
 * The longest passage first, each to the child that then has the least to do. Passages of like length end in one
 * frame, where padding is least.
 *
 * @param sizes of the passages, in characters; the query counts with each
 * @param loads what each child still has to do, in characters; none: as if there were one
 */
export function share(sizes: readonly number[], loads: readonly number[]): Part[] {
  const lanes = (loads.length === 0 ? [0] : loads).map((load) => ({ load, places: [] as number[] }));
  const longestFirst = sizes.map((size, place) => ({ size, place })).sort((a, b) => b.size - a.size);
  for (const { size, place } of longestFirst) {
    const idlest = lanes.reduce((best, lane) => (lane.load < best.load ? lane : best));
    idlest.places.push(place);
    idlest.load += size;
  }
  return lanes.flatMap(({ places }, lane) =>
    cut(places, sizes).map((some) => ({
      lane,
      places: some,
      weight: some.reduce((sum, place) => sum + (sizes[place] ?? 0), 0),
    })),
  );
}

function cut(places: readonly number[], sizes: readonly number[]): number[][] {
  const frames: number[][] = [];
  let characters = Infinity;
  for (const place of places) {
    const size = sizes[place] ?? 0;
    const last = frames.at(-1);
    if (last === undefined || last.length === maxPassages || characters + size > maxCharacters) {
      frames.push([place]);
      characters = size;
    } else {
      last.push(place);
      characters += size;
    }
  }
  return frames;
}
