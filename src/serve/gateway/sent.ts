/** What one instance has been sent and has not finished, and how much of that it works on at once. */
import type { Role } from '../../models/types.ts';
import { onFirstByte, onLastByte, startWidth } from './width.ts';

/** Disposing it says that it is over. */
export interface Sent extends Disposable {
  /** Its answer begins. */
  begins(): void;
}

export interface SentTo {
  hasRoom(): boolean;
  send(): Sent;
  underWay(): number;
  /** How many it is given at once. */
  width(): number;
}

/** When it was sent and when its first byte came, counted in such events. */
interface Times {
  readonly sentAt: number;
  begunAt: number | undefined;
}

/**
 * @param most that it is given at once, as long as nothing shows that it works on fewer
 * @param shows whether its answers come as they are made: one that comes all at once, at its end, shows nothing
 */
export function makeSentTo(most: number, shows = true): SentTo {
  const sent = new Set<Times>();
  let width = startWidth(most);
  let clock = 0;
  const writing = (): number => [...sent].filter(({ begunAt }) => begunAt !== undefined).length;
  const passedOver = (begunAt: number): number =>
    [...sent].filter((other) => other.begunAt === undefined && other.sentAt < begunAt).length;
  return {
    hasRoom: () => sent.size < width.now,
    underWay: () => sent.size,
    width: () => width.now,
    send: () => {
      const times: Times = { sentAt: (clock += 1), begunAt: undefined };
      sent.add(times);
      return {
        begins: () => {
          if (!shows) return;
          times.begunAt = clock += 1;
          width = onFirstByte(width, writing());
        },
        [Symbol.dispose]: () => {
          if (times.begunAt !== undefined) width = onLastByte(width, writing(), passedOver(times.begunAt));
          sent.delete(times);
        },
      };
    },
  };
}

/** What all instances have been sent, by their addresses: a server that is started again has a new one. */
export interface SentBook {
  to(role: Role, url: string): SentTo;
  /** Forgets those that are not live any more and have nothing under way. */
  keepOnly(live: readonly string[]): void;
}

export function makeSentBook(most: Readonly<Record<Role, number>>, learns = true): SentBook {
  const book = new Map<string, SentTo>();
  return {
    to: (role, url) => {
      const known = book.get(url) ?? makeSentTo(most[role], learns && role === 'generate');
      book.set(url, known);
      return known;
    },
    keepOnly: (live) => {
      for (const [url, sent] of book) if (!live.includes(url) && sent.underWay() === 0) book.delete(url);
    },
  };
}
