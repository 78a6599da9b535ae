/** From when to when each child of a tree lives: most as long as the tree, some later, some not to its end. */
import { RagError } from '../errors.ts';
import type { Following } from './follow.ts';
import { orAborted } from './pause.ts';
import type { ChildSpec, TreeEnd } from './spec.ts';
import type { Statuses } from './status.ts';

export interface Spans {
  start(id: string): void;
  end(id: string): void;
  /** Resolves when the child may be started at all. @throws aborted when it is to end before that */
  untilStarted(id: string): Promise<void>;
  /** Aborted when the child is to end: it alone, or with the tree. */
  over(id: string): AbortSignal;
  /** Nothing when it was told to end and has done so. One that SIGKILL does not end is lost all the same. */
  unlessWanted(id: string, end: TreeEnd | undefined): TreeEnd | undefined;
}

export function makeSpans(specs: readonly Pick<ChildSpec, 'id' | 'later'>[], closing: AbortSignal): Spans {
  const spans = new Map(specs.map((spec) => [spec.id, makeSpan(spec, closing)]));
  const get = (id: string): Span => {
    const span = spans.get(id);
    if (span === undefined)
      throw new RagError('bug', `Cannot start or end '${id}': no such child, wanted one of the tree`);
    return span;
  };
  return {
    start: (id) => get(id).start(),
    end: (id) => get(id).ending.abort(),
    untilStarted: async (id) => {
      const { started, over } = get(id);
      if ((await orAborted(started, over)) === 'aborted')
        throw new RagError('aborted', `Cannot start ${id}: it was told to end`);
    },
    over: (id) => get(id).over,
    unlessWanted: (id, end) => (end?.outcome === 'exited' && get(id).ending.signal.aborted ? undefined : end),
  };
}

interface Span {
  readonly started: Promise<void>;
  readonly start: () => void;
  readonly ending: AbortController;
  readonly over: AbortSignal;
}

function makeSpan({ later = false }: Pick<ChildSpec, 'later'>, closing: AbortSignal): Span {
  const { promise, resolve } = Promise.withResolvers<void>();
  if (!later) resolve();
  const ending = new AbortController();
  return { started: promise, start: resolve, ending, over: AbortSignal.any([closing, ending.signal]) };
}

interface Ending {
  /** In start order, and the life of each. */
  readonly specs: readonly Pick<ChildSpec, 'id'>[];
  readonly lives: readonly Promise<void>[];
  readonly spans: Spans;
  readonly following: Following;
  readonly statuses: Statuses;
}

/** Ends some children while the others go on, one after the other. @throws see `Tree.end` */
export async function endAlone(
  ids: readonly string[],
  { specs, lives, spans, following, statuses }: Ending,
): Promise<void> {
  const left = ids.flatMap((id) => following.behind(id)).find((id) => !ids.includes(id));
  if (left !== undefined)
    throw new RagError('bug', `Cannot end ${ids.join(', ')}: '${left}' follows, wanted it ended too`);
  ids.forEach((id) => spans.over(id)); // all of them, or none
  for (const [index, { id }] of [...specs.entries()].toReversed()) {
    if (!ids.includes(id)) continue;
    spans.end(id);
    await lives[index];
    const current = statuses.stateOf(id);
    if (current.state === 'failed') throw current.error;
  }
}
