/** A running supervisor as who answers: questions and retrievals over its endpoint, with its header token. */
import { readFile } from 'node:fs/promises';
import { Agent, type Dispatcher } from 'undici';
import { z } from 'zod';
import { errorTable, messageOf, RagError, type ErrorCode } from '../errors.ts';
import { provenConnector } from '../services/proven-connection.ts';
import type { AnswerRecord, QueryRequest } from '../work.ts';

export interface SupervisorAddress {
  readonly url: string;
  readonly tokenFile: string | undefined;
  /** Names it for people. */
  readonly name: string;
}

/** A hit as `/retrieve` gives it; see query/contents.ts. */
export interface RemoteHit {
  readonly document: {
    readonly title: string;
    readonly contents: string;
    readonly file: string;
    readonly page: number | null;
  } & Readonly<Record<string, unknown>>;
  readonly score: number;
}

export interface RemoteRetrieval {
  readonly query: string;
  /** Undefined: the supervisor's own. */
  readonly topk: number | undefined;
  readonly filter: readonly string[] | undefined;
  readonly signal: AbortSignal;
}

export interface RemoteQuestion extends Pick<QueryRequest, 'query' | 'onText' | 'signal'> {
  readonly topk: number | undefined;
  readonly filter: readonly string[] | undefined;
}

export interface Supervisor extends AsyncDisposable {
  query(question: RemoteQuestion): Promise<AnswerRecord>;
  retrieve(request: RemoteRetrieval): Promise<RemoteHit[]>;
}

/** @throws (its operations) what the supervisor says; model-unavailable when it cannot be reached; aborted */
export async function openSupervisor({ url, tokenFile, name }: SupervisorAddress): Promise<Supervisor> {
  const token = tokenFile === undefined ? undefined : (await readFile(tokenFile, 'utf8')).trim();
  // It waits through restarts of its services, and so do we. A port may pass to another program between two questions:
  // every connection proves anew that it leads to the supervisor, before it is shown the token.
  const agent = new Agent({
    headersTimeout: 0,
    bodyTimeout: 0,
    ...(token === undefined ? {} : { connect: provenConnector(token) }),
  });
  const post = async (path: string, body: object, signal: AbortSignal): Promise<Dispatcher.ResponseData> => {
    const headers = {
      'content-type': 'application/json',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    };
    const sent = { origin: url, path, method: 'POST' as const, headers, body: JSON.stringify(body), signal };
    let refused: string;
    try {
      const answer = await agent.request(sent);
      if (answer.statusCode === 200) return answer;
      refused = await answer.body.text();
    } catch (cause) {
      if (signal.aborted)
        throw new RagError('aborted', `Cannot wait for ${name}: it was cancelled`, { cause });
      throw new RagError('model-unavailable', `Cannot reach ${name} at ${url}: ${messageOf(cause)}`, {
        hint: 'node dist/supervisor.js status   # or add --here to work in this process',
        cause,
      });
    }
    throw refusal(refused);
  };
  return {
    query: async ({ onText, signal, query, topk, filter }) => {
      const { body } = await post('/query/stream', { query, topk, filter }, signal);
      for await (const line of linesOf(body)) {
        const said = JSON.parse(line) as { response?: string; record?: AnswerRecord; error?: unknown };
        if (said.response !== undefined) onText?.(said.response);
        if (said.error !== undefined) throw refusal(line);
        if (said.record !== undefined) return said.record;
      }
      throw new RagError('model-unavailable', `Cannot read the answer of ${name}: it broke off`);
    },
    retrieve: async ({ query, topk, filter, signal }) => {
      const { body } = await post(
        '/retrieve',
        { queries: [query], topk, filter, return_scores: true },
        signal,
      );
      const { result } = (await body.json()) as { result: RemoteHit[][] };
      return result[0] ?? [];
    },
    [Symbol.asyncDispose]: () => agent.destroy(),
  };
}

async function* linesOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const bytes of body) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    yield* lines.filter((line) => line !== '');
  }
}

/** The supervisor's error is ours, code and hint and all. */
function refusal(text: string): RagError {
  const said = readProblem(text);
  if (said === undefined)
    return new RagError('model-unavailable', `Cannot ask the supervisor: it said ${text.slice(0, 200)}`);
  const known = Object.hasOwn(errorTable, said.code) ? (said.code as ErrorCode) : 'model-unavailable';
  return new RagError(known, said.message, said.hint == null ? {} : { hint: said.hint });
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
