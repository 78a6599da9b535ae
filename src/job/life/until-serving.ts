/** The wait for the services that a question needs. */
import { codeOf } from '../../errors.ts';
import type { Tree } from '../../supervise/spec.ts';
import type { Layout, Plan } from '../../plan/types.ts';

/**
 * A reranker is waited for while it loads: one that is not there yet would only degrade the answer. One that was given
 * up after several crashes degrades all of them; a fault of its settings ends the run, as everything that was asked for
 * and cannot be had.
 *
 * @param wanted of two layouts the one whose services are waited for
 * @throws the error of a service that has failed; aborted
 */
export async function untilServing(
  tree: Pick<Tree, 'statuses' | 'untilReady'>,
  { instances }: Pick<Plan, 'instances'>,
  signal: AbortSignal,
  wanted: Layout = 'answering',
): Promise<void> {
  const rerankers = instances.filter(({ role }) => role === 'rerank').map(({ id }) => id);
  const apart = instances.flatMap(({ id, layout = wanted }) => (layout === wanted ? [] : [id]));
  const others = tree
    .statuses()
    .flatMap(({ id }) => (rerankers.includes(id) || apart.includes(id) ? [] : [id]));
  const unlessLost = async (id: string): Promise<void> => {
    try {
      await tree.untilReady([id], signal);
    } catch (error) {
      if (signal.aborted || codeOf(error) !== 'service-failed') throw error;
    }
  };
  await Promise.all([tree.untilReady(others, signal), ...rerankers.map(unlessLost)]);
}
