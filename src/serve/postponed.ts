/** Generation that cannot be had yet: said at once, because the wait may be hours. */
import type { FastifyReply } from 'fastify';
import { refuse } from './problem.ts';

export interface Postponed {
  readonly message: string;
  readonly hint: string;
  /** When to ask again. */
  readonly seconds: number;
}

/** Undefined: the generator is up, or is waited for as through any restart. */
export type WhyPostponed = () => Postponed | undefined;

export const refusePostponed = (reply: FastifyReply, { message, hint, seconds }: Postponed): FastifyReply =>
  refuse(reply.header('retry-after', String(seconds)), {
    status: 503,
    code: 'model-unavailable',
    message,
    hint,
  });
