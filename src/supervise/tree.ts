import { RagError } from '../errors.ts';
import { type Containment, withoutNamespaces } from './containment.ts';
import { makeFollowing, openTerm } from './follow.ts';
import { live, type Surroundings } from './life.ts';
import { endAlone, makeSpans } from './span.ts';
import type { ChildSpec, ChildState, RestartBudget, Running, Tree, TreeEnd } from './spec.ts';
import { makeStatuses, tell } from './status.ts';

/** Something that happened to a child, for the log. */
export interface TreeEvent {
  readonly id: string;
  readonly event: string;
  readonly [detail: string]: unknown;
}

export interface TreeOptions {
  readonly budget: RestartBudget;
  /** Without it children get a death signal and no namespaces. */
  readonly containment?: Containment;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
  /** Number in [0, 1): the jitter of restarts. */
  readonly random?: () => number;
  readonly onEvent?: (event: TreeEvent) => void;
}

/**
 * Starts all children but the `later` ones at once, each as soon as those in its `after` are ready; does not wait for
 * readiness.
 * Each lives its own life (life.ts); the tree only knows their order. It does not stop by itself: when `ended`
 * resolves, its owner disposes it.
 *
 * @param specs in start order; `after` names earlier ones only, so that the reverse is a right stop order
 * @throws `bug` when two children share an id, `after` names none that stands before, or `follows` none of `after`
 */
export function startTree(specs: readonly ChildSpec[], options: TreeOptions): Tree {
  checkOrder(specs);
  const { budget, now = Date.now, random = Math.random, onEvent = () => undefined } = options;
  const { containment = withoutNamespaces('') } = options;
  const following = makeFollowing(specs);
  const statuses = makeStatuses(specs.map(({ id }) => id));
  const running = new Map<string, Running>();
  const closing = new AbortController();
  const ending = new AbortController();
  const spans = makeSpans(specs, closing.signal);
  const ended = Promise.withResolvers<TreeEnd>();

  const surroundings = (spec: ChildSpec, index: number): Surroundings => {
    const ahead = following.ahead(spec.id);
    const over = spans.over(spec.id);
    return {
      budget,
      now,
      random,
      report: (event, detail) => tell(onEvent, { ...detail, id: spec.id, event }),
      containment,
      closing: over,
      ending: ending.signal,
      untilMayStart: async () => {
        await spans.untilStarted(spec.id);
        await statuses.untilDown(following.behind(spec.id));
        await statuses.untilReady([...spec.after, ...ahead], over);
      },
      openTerm: () => openTerm(ahead, statuses, over),
      untilMyTurn: async () => {
        await statuses.untilDown(following.behind(spec.id));
        if (closing.signal.aborted) await Promise.all(lives.slice(index + 1));
      },
      change: (event) => statuses.apply(spec.id, event),
      setRunning: (child) => void running.set(spec.id, child),
    };
  };
  const lead = async (spec: ChildSpec, index: number): Promise<void> => {
    // Not before every life is in `lives`: the turn to stop is read from there.
    await Promise.resolve();
    await live(spec, surroundings(spec, index)).catch((error: unknown) =>
      statuses.apply(spec.id, { event: 'fail', error: asBug(error) }),
    );
    const end = spans.unlessWanted(spec.id, endOf(spec, statuses.stateOf(spec.id)));
    if (end !== undefined && !closing.signal.aborted && !ending.signal.aborted) ended.resolve(end);
  };
  const lives: readonly Promise<void>[] = specs.map(lead);

  return {
    statuses: statuses.all,
    running: (id) => (statuses.stateOf(id).state === 'ready' ? running.get(id) : undefined),
    untilReady: statuses.untilReady,
    onChange: statuses.onChange,
    start: (ids) => ids.forEach((id) => spans.start(id)),
    end: (ids) => endAlone(ids, { specs, spans, following, statuses, lives }),
    letEnd: () => ending.abort(),
    ended: ended.promise,
    [Symbol.asyncDispose]: async () => {
      closing.abort();
      await Promise.all(lives);
    },
  };
}

function checkOrder(specs: readonly ChildSpec[]): void {
  const before = new Set<string>();
  for (const { id, after, follows = [] } of specs) {
    const unknown = after.find((other) => !before.has(other));
    if (unknown !== undefined)
      throw new RagError(
        'bug',
        `Cannot start the tree: '${id}' waits for '${unknown}', wanted the id of an earlier child`,
      );
    const loose = follows.find((other) => !after.includes(other));
    if (loose !== undefined)
      throw new RagError(
        'bug',
        `Cannot start the tree: '${id}' follows '${loose}', wanted one of those that it waits for`,
      );
    if (before.has(id))
      throw new RagError('bug', `Cannot start the tree: two children are called '${id}', wanted one`);
    before.add(id);
  }
}

/** What the end of this child means to the whole. */
function endOf({ id, significant }: ChildSpec, current: ChildState): TreeEnd | undefined {
  if (!significant) return undefined;
  if (current.state === 'failed') return { outcome: 'failed', id, error: current.error };
  if (current.state === 'exited') return { outcome: 'exited', id, exit: current.exit };
  return undefined;
}

const asBug = (error: unknown): Error =>
  error instanceof Error ? error : new RagError('bug', String(error));
