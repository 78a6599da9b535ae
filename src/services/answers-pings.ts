import type { Channel, Liveness, LivenessResult } from '../supervise/spec.ts';

/** A service is given up when it has said nothing for half a minute: ten seconds of heavy swapping are no hang. */
export const livenessBounds = { periodMs: 10_000, timeoutMs: 10_000, failureThreshold: 3 } as const;

/** For children with a channel that answer `{id: 0, op: 'ping'}`. */
export const answersPings: Liveness = {
  ...livenessBounds,
  probe: ({ channel }, signal) =>
    channel === undefined
      ? Promise.resolve({ outcome: 'missed', reason: 'it has no channel' })
      : ping(channel, signal),
};

/** Whatever the child says proves that its event loop turns: the answer to another request does, a late pong too. */
function ping(channel: Channel, signal: AbortSignal): Promise<LivenessResult> {
  return new Promise((resolve) => {
    const finish = (result: LivenessResult): void => {
      removeMessage();
      removeClose();
      signal.removeEventListener('abort', abort);
      resolve(result);
    };
    const abort = (): void => finish({ outcome: 'missed', reason: 'the ping was cancelled' });
    const removeMessage = channel.onMessage(() => finish({ outcome: 'alive' }));
    const removeClose = channel.onClose(() => finish({ outcome: 'missed', reason: 'its channel is closed' }));
    signal.addEventListener('abort', abort);
    channel.send({ id: 0, op: 'ping' });
  });
}
