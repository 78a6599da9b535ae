/**
 * Tokens, for who is not the owner on this node. A header token opens everything. A URL token, for clients that cannot
 * send headers (`/t/TOKEN/retrieve`), opens what a model or a retriever is asked, because addresses end up in logs.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

export interface Tokens {
  readonly header: string;
  readonly url: string;
}

/** What a caller may because of the token that he showed. A wrong one is none: clients of OpenAI's API send any word. */
export type Grant = 'nothing' | 'models' | 'everything';

/** 256 bits, in characters that a URL and a header take as they are. */
export const makeTokens = (): Tokens => ({
  header: randomBytes(32).toString('base64url'),
  url: randomBytes(32).toString('base64url'),
});

/** In constant time: how long a comparison takes tells nothing of the token. */
function isSame(presented: string, token: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(presented), digest(token));
}

export interface TokenGate {
  /** The path without its token, for the router; the token is remembered for `grantOf`. */
  rewriteUrl(request: IncomingMessage): string;
  grantOf(request: IncomingMessage): Grant;
}

/** @param tokens undefined: no token opens anything */
export function makeTokenGate(tokens: Tokens | undefined): TokenGate {
  const inUrl = new WeakMap<IncomingMessage, string>();
  return {
    rewriteUrl: (request) => {
      const url = request.url ?? '/';
      const [, token, path] = /^\/t\/([^/?#]+)(.*)$/s.exec(url) ?? [];
      if (token === undefined || path === undefined) return url;
      inUrl.set(request, token);
      return path.startsWith('/') ? path : `/${path}`;
    },
    grantOf: (request) => {
      if (tokens === undefined) return 'nothing';
      const [, bearer] = /^bearer +(\S+)$/i.exec(request.headers.authorization ?? '') ?? [];
      if (bearer !== undefined && isSame(bearer, tokens.header)) return 'everything';
      const shown = inUrl.get(request);
      return shown !== undefined && isSame(shown, tokens.url) ? 'models' : 'nothing';
    },
  };
}
