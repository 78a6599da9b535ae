/** One running child: what is under way to it, and how long it has been silent. */

/** The pipe to a child, as far as requests need it. */
export interface SidecarChannel {
  send(message: unknown): void;
  onMessage(listener: (message: unknown) => void): () => void;
  onClose(listener: () => void): () => void;
  giveUp(reason: string): void;
}

export type Message = Readonly<Record<string, unknown>>;

export type Reply =
  | { readonly outcome: 'answered'; readonly message: Message }
  | { readonly outcome: 'closed' }
  | { readonly outcome: 'aborted' };

export interface Lane {
  /** Of all requests under way, those too whose caller has gone: the child works on them all the same. */
  load(): number;
  isOpen(): boolean;
  exchange(frame: { readonly id: number } & Message, weight: number, signal: AbortSignal): Promise<Reply>;
}

interface UnderWay {
  readonly weight: number;
  readonly settle: (reply: Reply) => void;
}

/**
 * The child works on one request after another, so every answer is progress. With requests under way and none for
 * `stallMs` the channel is given up: whoever watches the child starts it again.
 */
export function openLane(id: string, channel: SidecarChannel, stallMs: number): Lane {
  const underWay = new Map<unknown, UnderWay>();
  let open = true;
  let timer: NodeJS.Timeout | undefined;
  const close = (): void => {
    open = false;
    clearTimeout(timer);
    underWay.forEach(({ settle }) => settle({ outcome: 'closed' }));
    underWay.clear();
  };
  const stalled = (): void => {
    channel.giveUp(`${id} did not answer a request within ${stallMs / 1000} s`);
    close();
  };
  const watch = (): void => {
    clearTimeout(timer);
    if (underWay.size > 0) timer = setTimeout(stalled, stallMs);
  };
  channel.onMessage((message) => {
    if (!isMessage(message)) return;
    const answered = underWay.get(message['id']);
    if (answered === undefined) return;
    underWay.delete(message['id']);
    watch();
    answered.settle({ outcome: 'answered', message });
  });
  channel.onClose(close);
  return {
    load: () => [...underWay.values()].reduce((sum, { weight }) => sum + weight, 0),
    isOpen: () => open,
    exchange: (frame, weight, signal) =>
      new Promise((resolve) => {
        if (signal.aborted) return resolve({ outcome: 'aborted' });
        const abort = (): void => resolve({ outcome: 'aborted' });
        signal.addEventListener('abort', abort, { once: true });
        const settle = (reply: Reply): void => {
          signal.removeEventListener('abort', abort);
          resolve(reply);
        };
        underWay.set(frame.id, { weight, settle });
        if (underWay.size === 1) watch();
        channel.send(frame);
      }),
  };
}

const isMessage = (message: unknown): message is Message => typeof message === 'object' && message !== null;
