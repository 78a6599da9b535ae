/**
 * Who waits, and who is next: callers take turns, each by the order of its own requests, so that one who sends a thousand
 * delays the next by one request and not by a thousand. When the line is full the longest queue in it gives way.
 */

export interface Line<Waiting> {
  readonly size: number;
  /** @returns who is refused in its favour, or itself; undefined: there was room */
  add(caller: string, waiting: Waiting): Waiting | undefined;
  /** In front of its caller's own: it had its turn, and its server was lost. Never refused. */
  putBack(caller: string, waiting: Waiting): void;
  /** Takes the next one out. */
  next(): Waiting | undefined;
  remove(caller: string, waiting: Waiting): void;
}

/** @param most that wait at once */
export function makeLine<Waiting>(most: number): Line<Waiting> {
  /** In the order of their turns. */
  const queues = new Map<string, Waiting[]>();
  let size = 0;
  const queueOf = (caller: string): Waiting[] => {
    const queue = queues.get(caller) ?? [];
    queues.set(caller, queue);
    return queue;
  };
  const drop = (caller: string, queue: readonly Waiting[]): void => {
    size -= 1;
    if (queue.length === 0) queues.delete(caller);
  };
  return {
    get size() {
      return size;
    },
    add(caller, waiting) {
      const [longest, theirs] = longestOf(queues);
      const mine = queues.get(caller)?.length ?? 0;
      // Of equals the one that comes is refused, or two callers would refuse each other for ever.
      if (size >= most && mine + 1 >= theirs.length) return waiting;
      queueOf(caller).push(waiting);
      size += 1;
      if (size <= most) return undefined;
      const refused = theirs.pop();
      drop(longest, theirs);
      return refused;
    },
    putBack(caller, waiting) {
      queueOf(caller).unshift(waiting);
      size += 1;
    },
    next() {
      const [first] = queues;
      if (first === undefined) return undefined;
      const [caller, queue] = first;
      const waiting = queue.shift();
      queues.delete(caller);
      queues.set(caller, queue);
      drop(caller, queue);
      return waiting;
    },
    remove(caller, waiting) {
      const queue = queues.get(caller) ?? [];
      const at = queue.indexOf(waiting);
      if (at < 0) return;
      queue.splice(at, 1);
      drop(caller, queue);
    },
  };
}

const longestOf = <Waiting>(queues: ReadonlyMap<string, Waiting[]>): readonly [string, Waiting[]] =>
  [...queues].reduce<readonly [string, Waiting[]]>(
    (longest, each) => (each[1].length > longest[1].length ? each : longest),
    ['', []],
  );
