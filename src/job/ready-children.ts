/** Children with a channel, as the rooms that talk to them see them: those of the tree that are ready. */
import type { SidecarsOptions } from '../models/sidecar.ts';
import type { Tree } from '../supervise/spec.ts';

export const readyChildren = (
  tree: Pick<Tree, 'running' | 'untilReady'>,
  ids: readonly string[],
): Pick<SidecarsOptions, 'ready' | 'untilReady'> => ({
  ready: () =>
    ids.flatMap((id) => {
      const channel = tree.running(id)?.channel;
      return channel === undefined ? [] : [{ id, channel }];
    }),
  // The first that is ready again; an error when none can be any more.
  untilReady: (signal) =>
    Promise.any(ids.map((id) => tree.untilReady([id], signal))).catch((all: AggregateError) => {
      throw all.errors[0];
    }),
});
