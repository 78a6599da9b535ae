/** Children with a channel, as the rooms that talk to them see them: those of the tree that are ready. */
import type { SidecarsOptions } from '../../models/sidecar.ts';
import { RagError } from '../../errors.ts';
import type { Channel, Tree } from '../../supervise/spec.ts';

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

export async function untilChannel(tree: Tree, id: string, signal: AbortSignal): Promise<Channel> {
  await tree.untilReady([id], signal);
  return known(tree.running(id)?.channel, `the channel of ${id}`);
}

/** What its readiness promises. */
export function known<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new RagError('bug', `Cannot use ${what}: it is ready and yet unknown`);
  return value;
}
