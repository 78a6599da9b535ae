/** Signals become one AbortSignal with a reason; the second ends the process at once. */
import { constants } from 'node:os';
import { RagError } from './errors.ts';

const stops = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR2'] as const;

/** Why the program is told to end: an error, because whoever waits for something throws it as it is. */
export class StopReason extends RagError {
  readonly signal: (typeof stops)[number];
  /** Aborts when TERM or INT follows the wall-time warning: the time that it announced is over, KillWait is left. */
  readonly over: AbortSignal;

  constructor(signal: StopReason['signal'], over: AbortSignal) {
    super('aborted', `Cannot go on: ${signal} has told it to stop`);
    this.signal = signal;
    this.over = over;
  }
}

/**
 * One cause may reach us twice: Ctrl-C goes to every process of a terminal and is also forwarded by the door;
 * Slurm's linuxproc tracking sends TERM to all processes of a job. Within this time it counts as one.
 */
const sameCauseMs = 500;

/**
 * @param endAtOnce called with 128 + n for the second signal
 * @param source where signals come from
 * @returns a signal that aborts with a `StopReason`, and how to stop listening
 */
export function listenForStop(
  endAtOnce: (exitCode: number) => void,
  source: Pick<NodeJS.EventEmitter, 'on' | 'off'> = process,
): {
  signal: AbortSignal;
  close: () => void;
} {
  const stop = new AbortController();
  const over = new AbortController();
  let firstAt: number | undefined;
  const receive = (signal: StopReason['signal']): void => {
    if (!stop.signal.aborted) stop.abort(new StopReason(signal, over.signal));
    // The wall-time warning is followed by TERM at the limit: that is still the first request to end.
    if (signal === 'SIGUSR2') return;
    if ((stop.signal.reason as StopReason).signal === 'SIGUSR2') over.abort();
    const now = performance.now();
    firstAt ??= now;
    if (now - firstAt > sameCauseMs) endAtOnce(128 + constants.signals[signal]);
  };
  const handlers = stops.map((signal) => [signal, () => receive(signal)] as const);
  const onMessage = (message: unknown): void => {
    const name =
      typeof message === 'object' && message !== null && 'signal' in message ? message.signal : undefined;
    const known = stops.find((signal) => signal === name);
    if (known !== undefined) receive(known);
  };
  // The door that handed over to us is gone: nobody waits for a result any more.
  const onDisconnect = (): void => endAtOnce(128 + constants.signals.SIGKILL);

  for (const [signal, handler] of handlers) source.on(signal, handler);
  if (process.channel != null) {
    process.on('message', onMessage);
    process.on('disconnect', onDisconnect);
    process.channel.unref();
  }
  const close = (): void => {
    for (const [signal, handler] of handlers) source.off(signal, handler);
    process.off('message', onMessage);
    process.off('disconnect', onDisconnect);
  };
  return { signal: stop.signal, close };
}
