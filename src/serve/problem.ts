/** What the endpoint answers when it does not answer: `{"error":{code,message,hint}}`, never a stack trace. */
import type { FastifyError, FastifyReply } from 'fastify';
import type { z } from 'zod';
import { type ErrorCode, toPlain } from '../errors.ts';

export interface Problem {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly hint?: string | undefined;
}

const statusOf: Partial<Record<ErrorCode, number>> = {
  usage: 422,
  'too-long': 422,
  forbidden: 403,
  'model-unavailable': 503,
  'service-failed': 503,
  stopped: 503,
  aborted: 503,
  frozen: 409,
  'too-large': 413,
  'disk-full': 507,
};

/** An error of ours by its code; one of the HTTP server (bad JSON, body too large) by its status; else a bug. */
export function problemOf(error: unknown): Problem {
  const status = (error as FastifyError).statusCode;
  if (status !== undefined && status >= 400 && status < 500)
    return {
      status,
      code: codeOfStatus(status),
      message: `Cannot read the request: ${(error as Error).message}`,
    };
  const { code, message, hint } = toPlain(error);
  return { status: statusOf[code] ?? 500, code, message, hint };
}

const codeOfStatus = (status: number): string =>
  ({ 413: 'too-large', 415: 'unsupported-media-type', 422: 'usage' })[status] ?? 'bad-request';

export const problemBody = ({ code, message, hint }: Problem): object => ({
  error: { code, message, hint: hint ?? null },
});

/** A request that its schema does not take. */
export const unreadable = ({ issues }: z.ZodError, hint: string): Problem => ({
  status: 422,
  code: 'usage',
  message: `Cannot read the request: ${issues
    .map(({ path, message }) => `${path.join('.') || 'it'}: ${message}`)
    .join('; ')
    .slice(0, 1000)}`,
  hint,
});

export const refuse = (reply: FastifyReply, problem: Problem): FastifyReply =>
  reply.code(problem.status).type('application/json; charset=utf-8').send(problemBody(problem));
