export interface Gate {
  /** Resolves when there is room. */
  enter(bytes: number): Promise<void>;
  leave(bytes: number): void;
}

interface Waiting {
  readonly bytes: number;
  readonly enter: () => void;
}

/**
 * Lets `places` tasks in at a time, in order, so that a task's deadline starts when a thread is free for it, and
 * together no more than `maxBytes`, but for one that is larger by itself.
 */
export function openGate(places: number, maxBytes: number): Gate {
  let inside = 0;
  let held = 0;
  const waiting: Waiting[] = [];
  const admit = (): void => {
    for (let next = waiting[0]; next !== undefined; next = waiting[0]) {
      const fits = inside === 0 || (inside < places && held + next.bytes <= maxBytes);
      if (!fits) return;
      waiting.shift();
      inside++;
      held += next.bytes;
      next.enter();
    }
  };
  return {
    async enter(bytes) {
      await new Promise<void>((enter) => {
        waiting.push({ bytes, enter });
        admit();
      });
    },
    leave(bytes) {
      inside--;
      held -= bytes;
      admit();
    },
  };
}
