/** What a browser may do with what it gets from here. */
import type { FastifyReply } from 'fastify';

/**
 * Nothing from elsewhere, no script or style that stands in the page, no frame around it and no form that leads away: a
 * text that became markup in spite of all could load nothing and send nothing.
 */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
].join('; ');

const always = {
  'content-security-policy': policy,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'x-frame-options': 'DENY',
};

/** Of a job: kept nowhere. */
export const asPrivate = (reply: FastifyReply): FastifyReply =>
  reply.headers({ ...always, 'cache-control': 'no-store', vary: 'Accept, Authorization' });

/** Of the program, under an address that changes with it. */
export const asLasting = (reply: FastifyReply): FastifyReply =>
  reply.headers({ ...always, 'cache-control': 'public, max-age=31536000, immutable' });
