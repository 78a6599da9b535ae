import type { Store, VectorIndexFigures } from '../../store/types.ts';

/**
 * How the vectors are searched, as it was when it was last asked: who shows the state cannot wait for the store. It
 * asks again each time, which takes a millisecond.
 */
export function watchVectorIndex(store: Pick<Store, 'vectorIndex'>): () => VectorIndexFigures | null {
  let figures: VectorIndexFigures | null = null;
  const look = (): void =>
    void store.vectorIndex().then(
      (found) => (figures = found),
      () => undefined,
    );
  look();
  return () => {
    look();
    return figures;
  };
}
