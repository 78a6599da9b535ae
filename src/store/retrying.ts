/** Reading beside a consolidation. */
import { setTimeout as pause } from 'node:timers/promises';
import { isMissingFile, namingFailure } from './wire/failure.ts';

/**
 * A consolidation, ours or another's, may remove what was listed a moment ago, and it removes many shards in a row;
 * but not for half a second.
 */
const pausesMs = [10, 20, 40, 80, 160, 320];

/** @throws index-damaged when a file stays missing */
export async function retrying<Out>(root: string, attempt: () => Promise<Out>): Promise<Out> {
  for (const pauseMs of pausesMs) {
    try {
      return await attempt();
    } catch (error) {
      if (!isMissingFile(error)) break;
      await pause(pauseMs);
    }
  }
  return namingFailure(root, attempt);
}
