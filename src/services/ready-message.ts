import type { ProbeResult, Running } from '../supervise/spec.ts';

/**
 * A probe for children that say `{ready: true}` once, when they can work. The listener stays from the first
 * look on, so that nothing is lost between two looks.
 */
export function readyMessageProbe(): (running: Running, signal: AbortSignal) => Promise<ProbeResult> {
  const ready = new WeakSet<object>();
  const watched = new WeakSet<object>();
  return async ({ channel }) => {
    if (channel === undefined) return { outcome: 'not-yet', reason: 'it has no channel' };
    if (!watched.has(channel)) {
      watched.add(channel);
      const remove = channel.onMessage((message) => {
        if (!isReady(message)) return;
        ready.add(channel);
        remove();
      });
    }
    return ready.has(channel)
      ? { outcome: 'ready' }
      : { outcome: 'not-yet', reason: 'it has not said that it is ready' };
  };
}

const isReady = (message: unknown): boolean =>
  typeof message === 'object' && message !== null && 'ready' in message && message.ready === true;
