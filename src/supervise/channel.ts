import type { ChildProcess, Serializable } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { makeFrameReader } from './frames.ts';
import { pause } from './pause.ts';
import type { Channel, Watch } from './spec.ts';

/** A channel as its owner sees it. */
export interface OwnedChannel extends Channel {
  /** Waits for what is still in the pipe, then closes. Bounded: a process that escaped may hold the other end. */
  end(): Promise<void>;
}

/** The pipe of a dead child ends at once; longer only where somebody else holds it open. */
const drainMs = 500;

/** Node messages; the child is spawned with `serialization: 'advanced'`. */
export function openIpc(child: ChildProcess): OwnedChannel {
  const { emit, close, ...channel } = makeHub(() => {
    if (child.connected) child.disconnect();
  });
  child.on('message', emit);
  child.once('disconnect', close);
  return {
    ...channel,
    // With a callback a broken channel is told to the callback, else as an 'error' that would end us.
    // The sender learns of it through onClose.
    send: (message) => void child.send(message as Serializable, () => undefined),
  };
}

/** Lines of JSON over the child's stdin and stdout. */
export function openFrames(
  stdin: Writable,
  stdout: Readable,
  onNonsense: (reason: string) => void,
): OwnedChannel {
  const { emit, close, ...channel } = makeHub(() => {
    stdin.destroy();
    stdout.destroy();
  });
  // Nobody knows which answer it was: whoever watches the channel starts the child again.
  const onGarbage = (reason: string): void => {
    onNonsense(reason);
    channel.giveUp('wrote what is no frame');
  };
  stdout.on('data', makeFrameReader(emit, onGarbage));
  stdout.once('close', close);
  // EPIPE of a child that died while we wrote: its exit tells more.
  stdin.on('error', () => undefined);
  stdout.on('error', () => undefined);
  return {
    ...channel,
    send: (message) => {
      if (stdin.writable) stdin.write(`${JSON.stringify(message)}\n`);
    },
  };
}

/** Ends the run of a child whose channel was given up while it was ready: what Python prints as it starts is harmless. */
export const untilGivenUp: Watch = ({ channel }, _report, signal) =>
  new Promise((resolve) => {
    const remove = channel?.onGivenUp(resolve);
    signal.addEventListener('abort', () => remove?.(), { once: true });
  });

type Listeners<T extends unknown[]> = Set<(...values: T) => void>;

interface Hub extends Omit<OwnedChannel, 'send'> {
  readonly emit: (message: unknown) => void;
  readonly close: () => void;
}

function makeHub(destroy: () => void): Hub {
  const onMessage: Listeners<[unknown]> = new Set();
  const onClose: Listeners<[]> = new Set();
  const onGivenUp: Listeners<[string]> = new Set();
  const closed = new AbortController();
  const close = (): void => {
    if (closed.signal.aborted) return;
    closed.abort();
    onClose.forEach((listener) => listener());
  };
  return {
    close,
    emit: (message) => onMessage.forEach((listener) => listener(message)),
    onMessage: (listener) => subscribe(onMessage, listener),
    onClose: (listener) => {
      // Whoever asks too late would wait for ever.
      if (closed.signal.aborted) queueMicrotask(listener);
      return subscribe(onClose, listener);
    },
    giveUp: (reason) => onGivenUp.forEach((listener) => listener(reason)),
    onGivenUp: (listener) => subscribe(onGivenUp, listener),
    end: async () => {
      await pause(drainMs, closed.signal);
      destroy();
      close();
    },
  };
}

function subscribe<T>(listeners: Set<T>, listener: T): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}
