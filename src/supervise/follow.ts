/** OTP's rest_for_one, along the `follows` of the specifications: whoever follows is started anew behind its leader. */
import type { ChildSpec, ChildState } from './spec.ts';
import type { Statuses } from './status.ts';

/** Who follows whom, over any number of steps. */
export interface Following {
  /** Those that this child follows. */
  ahead(id: string): readonly string[];
  /** Those that follow this child. */
  behind(id: string): readonly string[];
}

/** @param specs in start order */
export function makeFollowing(specs: readonly Pick<ChildSpec, 'id' | 'follows'>[]): Following {
  const ahead = new Map<string, readonly string[]>();
  for (const { id, follows = [] } of specs)
    ahead.set(id, [...new Set(follows.flatMap((other) => [...(ahead.get(other) ?? []), other]))]);
  return {
    ahead: (id) => ahead.get(id) ?? [],
    behind: (id) => specs.map((spec) => spec.id).filter((other) => ahead.get(other)?.includes(id)),
  };
}

/** How long a run may last. */
export interface Term extends Disposable {
  /** Aborted when the tree closes, or one of those ahead is to be started again. */
  readonly signal: AbortSignal;
  /**
   * Which of those ahead is not ready any more: a child that crashes in that moment did so on its account. None
   * while the tree closes.
   */
  lost(): string | undefined;
}

/** From the moment at which all ahead are ready. One that ends for good ends no term: nothing starts again. */
export function openTerm(
  ahead: readonly string[],
  { stateOf, onChange }: Pick<Statuses, 'stateOf' | 'onChange'>,
  closing: AbortSignal,
): Term {
  const over = new AbortController();
  let lost: string | undefined;
  const findAhead = (is: (state: ChildState['state']) => boolean): string | undefined =>
    ahead.find((id) => is(stateOf(id).state));
  const check = (): void => {
    lost ??= findAhead((state) => state === 'restarting');
    if (lost !== undefined || closing.aborted) over.abort();
  };
  const unsubscribe = onChange(check);
  closing.addEventListener('abort', check, { once: true });
  check();
  return {
    signal: over.signal,
    lost: () => (closing.aborted ? undefined : (lost ?? findAhead((state) => state !== 'ready'))),
    [Symbol.dispose]: () => {
      unsubscribe();
      closing.removeEventListener('abort', check);
    },
  };
}
