/**
 * Which instance had the beginning of a conversation: it need not read that again, because it keeps what its model made of
 * the last prompts. What is remembered are digests, so many at most, and the oldest is forgotten first.
 */
import { createHash } from 'node:crypto';

/** A conversation up to one of its messages. */
export interface Beginning {
  readonly digest: string;
  /** Of the messages up to here. */
  readonly bytes: number;
}

/** Further back than the last so many messages nobody looks: a conversation grows by two at a time. */
const mostBeginnings = 32;

/**
 * The longest first: the whole conversation, then without its last message, and so on.
 *
 * @param model and whatever else stands before the messages in the prompt, like tools
 */
export function beginningsOf(model: readonly unknown[], messages: readonly unknown[]): Beginning[] {
  const hash = createHash('sha256').update(JSON.stringify(model));
  const all: Beginning[] = [];
  let bytes = 0;
  for (const [at, message] of messages.entries()) {
    const text = JSON.stringify(message) ?? '';
    bytes += text.length;
    hash.update(text).update('\n');
    if (at >= messages.length - mostBeginnings) all.push({ digest: hash.copy().digest('base64url'), bytes });
  }
  return all.toReversed();
}

export interface Conversations {
  /** The instance that had the longest of them last. */
  find(beginnings: readonly Beginning[]): { readonly id: string; readonly saves: number } | undefined;
  /** It has all of it now. */
  keep(beginnings: readonly Beginning[], id: string): void;
}

/** Each is some 150 bytes. An instance keeps the prompts of far fewer. */
export function makeConversations(most: number = 4096): Conversations {
  const known = new Map<string, string>();
  return {
    find: (beginnings) => {
      for (const { digest, bytes } of beginnings) {
        const id = known.get(digest);
        if (id !== undefined) return { id, saves: bytes };
      }
      return undefined;
    },
    keep: ([whole], id) => {
      if (whole === undefined) return;
      known.delete(whole.digest);
      known.set(whole.digest, id);
      const [oldest] = known.keys();
      if (known.size > most && oldest !== undefined) known.delete(oldest);
    },
  };
}
