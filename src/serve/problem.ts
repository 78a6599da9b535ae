/**
 * What the endpoint answers when it does not answer, never a stack trace: `{"error":{code,message,hint}}`. Clients of Ollama
 * show `error` as a text and those of OpenAI's API `error.message`, and neither shows a hint, so that each gets its own form.
 */
import type { IncomingMessage } from 'node:http';
import type { FastifyError, FastifyReply } from 'fastify';
import type { z } from 'zod';
import { type ErrorCode, toPlain } from '../errors.ts';
import { withoutUrlTokens } from '../observe/url-tokens.ts';
import {
  errorFormOf,
  type errorSchema,
  type ollamaErrorSchema,
  type openaiErrorSchema,
} from './contract/route.ts';

export interface Problem {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly hint?: string | undefined;
  /** When to ask again, where that may help. */
  readonly retryAfterSeconds?: number;
}

/** An error that is answered as it says. */
export const refusal = (problem: Problem): Error => Object.assign(new Error(problem.message), { problem });

const statusOf: Partial<Record<ErrorCode, number>> = {
  usage: 422,
  'no-input': 422,
  'too-long': 422,
  forbidden: 403,
  'model-unavailable': 503,
  'model-refused': 502,
  'bad-vector': 502,
  'service-failed': 503,
  stopped: 503,
  aborted: 503,
  frozen: 409,
  'too-large': 413,
  'disk-full': 507,
};

/** Of a request that is wrong in itself. 400 and not 422: some libraries send everything above again by themselves. */
export const badRequest = (is: string, wanted: string, hint?: string): Error =>
  refusal({
    status: 400,
    code: 'usage',
    message: `Cannot read the request: ${is}, ${wanted} is wanted`,
    ...(hint === undefined ? {} : { hint }),
  });

/** An error of ours by its code; one of the HTTP server (bad JSON, body too large) by its status; else a bug. */
export function problemOf(error: unknown): Problem {
  const known = (error as { problem?: Problem } | null)?.problem;
  if (known !== undefined) return known;
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

/** @param path of the request: whose client reads it */
export function problemBody({ status, code, message, hint }: Problem, path = ''): object {
  const shown = { code, hint: hint ?? null };
  const whole = hint === undefined ? message : `${message} (hint: ${hint})`;
  const form = errorFormOf(path);
  if (form === 'ollama') return { error: whole, ...shown } satisfies z.infer<typeof ollamaErrorSchema>;
  if (form === 'openai')
    return {
      error: { message: whole, type: typeOf(status), param: null, ...shown },
    } satisfies z.infer<typeof openaiErrorSchema>;
  return { error: { ...shown, message } } satisfies z.infer<typeof errorSchema>;
}

/** In the words of OpenAI's API. */
const typeOf = (status: number): string =>
  status >= 500
    ? 'server_error'
    : ({
        401: 'authentication_error',
        403: 'permission_error',
        404: 'not_found_error',
        429: 'rate_limit_error',
      }[status] ?? 'invalid_request_error');

export function refuse(reply: FastifyReply, problem: Problem): FastifyReply {
  if (problem.retryAfterSeconds !== undefined)
    void reply.header('retry-after', String(problem.retryAfterSeconds));
  // The rest of its body would have to be read before another request, for as long as its sender likes.
  if (hasMore(reply.request.raw)) void reply.header('connection', 'close');
  return reply
    .code(problem.status)
    .type('application/json; charset=utf-8')
    .send(problemBody(withoutTokens(problem), reply.request.url));
}

const hasMore = ({ complete, headers }: IncomingMessage): boolean =>
  !complete && (Number(headers['content-length'] ?? 0) > 0 || headers['transfer-encoding'] !== undefined);

/** An address that was put together wrongly may still hold one (`//t/...`). */
const withoutTokens = (problem: Problem): Problem => ({
  ...problem,
  message: withoutUrlTokens(problem.message),
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
