/** HTTP with a supervisor: over TCP with its header token, or over a Unix socket, which is open to its owner alone. */
import type { Readable } from 'node:stream';
import { Agent } from 'undici';
import { z } from 'zod';
import { readToken } from '../disk/read-token.ts';
import { errorTable, messageOf, RagError, type ErrorCode } from '../errors.ts';
import { provenConnector } from '../services/proven-connection.ts';

/** Where a supervisor is reached. */
export type Reach =
  | { readonly url: string; readonly tokenFile: string | undefined; readonly name: string }
  | { readonly socketPath: string; readonly name: string };

export interface Sent {
  /** Default: POST where there is a body. */
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly json?: object;
  /** So many bytes, as they are. */
  readonly bytes?: { readonly body: Readable; readonly length: number };
  readonly signal: AbortSignal;
}

export type Reply =
  | { readonly state: 'answered'; readonly body: Body }
  /** It is there, and would not. `code` may be one that this program does not know. */
  | {
      readonly state: 'refused';
      readonly code: string;
      readonly error: RagError;
      readonly retryAfterSeconds?: number;
    }
  /** Nobody answered. */
  | { readonly state: 'lost'; readonly error: RagError };

export type Body = AsyncIterable<Uint8Array> & { json(): Promise<unknown> };

export interface Connection extends AsyncDisposable {
  /** For people. */
  readonly name: string;
  /** @throws aborted */
  send(path: string, sent: Sent): Promise<Reply>;
  /** @throws what the supervisor says; service-failed when it cannot be reached; aborted */
  ask(path: string, sent: Sent): Promise<Body>;
  /** A whole answer. @throws as `ask`; service-failed too for one that breaks off, or is another than was asked for */
  askJson<Out>(path: string, sent: Sent, schema: z.ZodType<Out>): Promise<Out>;
}

/** @throws what reading the token says */
export async function openConnection(reach: Reach): Promise<Connection> {
  const { name } = reach;
  const overTcp = 'url' in reach && reach.tokenFile !== undefined;
  const token = overTcp ? await readToken(reach.tokenFile ?? '') : undefined;
  const origin = 'url' in reach ? reach.url : 'http://localhost';
  // It waits through restarts of its services, and so do we. A port may pass to another program between two questions:
  // every connection proves anew that it leads to the supervisor, before it is shown the token.
  const agent = new Agent({
    headersTimeout: 0,
    bodyTimeout: 0,
    ...(token !== undefined && { connect: provenConnector(token) }),
    ...('socketPath' in reach && { connect: { socketPath: reach.socketPath } }),
  });
  const send: Connection['send'] = async (path, { json, bytes, signal, ...sent }) => {
    const type = bytes === undefined ? 'application/json' : 'application/octet-stream';
    const headers = {
      ...((json !== undefined || bytes !== undefined) && { 'content-type': type }),
      ...(bytes !== undefined && { 'content-length': String(bytes.length) }),
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    };
    const method = sent.method ?? (json === undefined ? 'GET' : 'POST');
    const body = json === undefined ? (bytes?.body ?? null) : JSON.stringify(json);
    try {
      const answer = await agent.request({ origin, path, method, headers, body, signal });
      if (answer.statusCode < 300) return { state: 'answered', body: answer.body };
      const after = Number(answer.headers['retry-after']);
      return { ...refusalOf(await answer.body.text()), ...(after > 0 && { retryAfterSeconds: after }) };
    } catch (cause) {
      if (signal.aborted) throw cancelled(name, cause);
      return { state: 'lost', error: outOfReach(name, 'url' in reach ? ` at ${reach.url}` : '', cause) };
    }
  };
  const ask: Connection['ask'] = async (path, sent) => {
    const reply = await send(path, sent);
    if (reply.state === 'answered') return reply.body;
    throw reply.error;
  };
  return {
    name,
    send,
    ask,
    askJson: async (path, sent, schema) => {
      const body = await ask(path, sent);
      try {
        return schema.parse(await body.json());
      } catch (cause) {
        throw sent.signal.aborted ? cancelled(name, cause) : unreadable(name, cause);
      }
    },
    [Symbol.asyncDispose]: () => agent.destroy(),
  };
}

const cancelled = (name: string, cause: unknown): RagError =>
  new RagError('aborted', `Cannot wait for ${name}: it was cancelled`, { cause });

const unreadable = (name: string, cause: unknown): RagError =>
  new RagError('service-failed', `Cannot read the answer of ${name}: ${oneLineOf(cause)}`, {
    hint: 'node dist/supervisor.js status   # it may have just ended, or be of another version',
    cause,
  });

const oneLineOf = (cause: unknown): string =>
  cause instanceof z.ZodError
    ? `it is another than was asked for (${z.prettifyError(cause).replaceAll(/\s+/g, ' ')})`
    : messageOf(cause);

const outOfReach = (name: string, where: string, cause: unknown): RagError =>
  new RagError('service-failed', `Cannot reach ${name}${where}: ${messageOf(cause)}`, {
    hint: 'node dist/supervisor.js status   # or add --here to work in this process',
    cause,
  });

/** The lines of an answer that comes in lines. */
export async function* linesOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const bytes of body) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    yield* lines.filter((line) => line !== '');
  }
}

/** The supervisor's error is ours, code and hint and all. */
export function refusalOf(text: string): Extract<Reply, { state: 'refused' }> {
  const said = readProblem(text);
  if (said === undefined) {
    const message = `Cannot ask the supervisor: it said ${text.slice(0, 200)}`;
    return { state: 'refused', code: 'unknown', error: new RagError('model-unavailable', message) };
  }
  const known = Object.hasOwn(errorTable, said.code) ? (said.code as ErrorCode) : 'model-unavailable';
  const hint = said.hint == null ? {} : { hint: said.hint };
  return { state: 'refused', code: said.code, error: new RagError(known, said.message, hint) };
}

const problemSchema = z.object({
  error: z.object({ code: z.string(), message: z.string(), hint: z.string().nullish() }),
});

function readProblem(text: string): z.infer<typeof problemSchema>['error'] | undefined {
  try {
    return problemSchema.safeParse(JSON.parse(text)).data?.error;
  } catch {
    return undefined;
  }
}
