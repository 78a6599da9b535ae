/** Channels of Python children without a process. */
import type { SidecarChannel } from '../../src/models/sidecar-lane.ts';
import { makeSidecars, type Sidecars } from '../../src/models/sidecar.ts';

export interface Sent {
  readonly id: number;
  readonly op: string;
  readonly query: string;
  readonly passages: string[];
}

export interface FakeChannel extends SidecarChannel {
  readonly sent: Sent[];
  /** Why it was given up. */
  readonly givenUp: string[];
  listeners(): number;
  say(message: unknown): void;
  close(): void;
}

/** A child that answers with what `reply` makes of a frame; null: it closes its channel instead; undefined: silence. */
export function makeChannel(reply: (frame: Sent) => object | null | undefined): FakeChannel {
  const messages = new Set<(message: unknown) => void>();
  const closes = new Set<() => void>();
  const channel: FakeChannel = {
    sent: [],
    givenUp: [],
    listeners: () => messages.size + closes.size,
    say: (message) => messages.forEach((listener) => listener(message)),
    close: () => closes.forEach((listener) => listener()),
    giveUp: (reason) => void channel.givenUp.push(reason),
    onMessage: (listener) => subscribe(messages, listener),
    onClose: (listener) => subscribe(closes, listener),
    send(message) {
      const frame = message as Sent;
      channel.sent.push(frame);
      queueMicrotask(() => {
        const answer = reply(frame);
        if (answer === null) channel.close();
        else if (answer !== undefined) channel.say(answer);
      });
    },
  };
  return channel;
}

function subscribe<T>(set: Set<T>, listener: T): () => void {
  set.add(listener);
  return () => void set.delete(listener);
}

/** All of them stay ready, whatever becomes of their channels. */
export const sidecarsOf = (channels: readonly SidecarChannel[], stallMs?: number): Sidecars =>
  makeSidecars({
    ready: () => channels.map((channel, at) => ({ id: `reranker-${at + 1}`, channel })),
    untilReady: async () => undefined,
    ...(stallMs === undefined ? {} : { stallMs }),
  });
