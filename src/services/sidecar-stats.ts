/** What a Python child says of its work, asked beside each ping. */
import { z } from 'zod';
import type { Liveness } from '../supervise/spec.ts';
import { answersPings } from './answers-pings.ts';

const statsFrame = z.object({
  id: z.literal(0),
  /** Of the device, by this process. Null on the CPU. */
  memory_bytes: z.number().nullish(),
  memory_peak_bytes: z.number().nullish(),
  memory_total_bytes: z.number().nullish(),
  pairs: z.number(),
  /** While it reranks; null before the first. */
  pairs_per_s: z.number().nullish(),
  texts: z.number().nullish(),
  /** While it encodes. */
  texts_per_s: z.number().nullish(),
  batch_size: z.number().nullish(),
});

export type SidecarStats = z.output<typeof statsFrame>;

export function tellsStats(onStats: (stats: SidecarStats) => void): Liveness {
  const heard = new WeakSet<object>();
  return {
    ...answersPings,
    probe: (running, signal) => {
      const { channel } = running;
      if (channel !== undefined && !heard.has(channel)) {
        heard.add(channel);
        channel.onMessage((message) => {
          if (!isOurs(message)) return;
          const { data } = statsFrame.safeParse(message);
          if (data !== undefined) onStats(data);
        });
      }
      channel?.send({ id: 0, op: 'stats' });
      return answersPings.probe(running, signal);
    },
  };
}

/** Asked before the frame is looked at in full: others are megabytes of vectors. */
const isOurs = (message: unknown): boolean =>
  typeof message === 'object' && message !== null && 'id' in message && message.id === 0;
