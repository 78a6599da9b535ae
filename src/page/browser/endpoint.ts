/** The endpoint that this page came from, asked from the browser. */
import type { Picture } from '../picture.ts';
import { readToken } from './own-token.ts';

export type Looked =
  | { readonly outcome: 'seen'; readonly picture: Picture }
  | { readonly outcome: 'refused'; readonly status: number; readonly withToken: boolean };

/** A tunnel that hangs is as good as none. */
const timeoutMs = 15_000;

/** @throws when nobody answers, or with what is no picture */
export async function look(seen: string): Promise<Looked> {
  const token = readToken();
  const answer = await fetch(`/picture?seen=${encodeURIComponent(seen)}`, {
    headers: authorization(token),
    cache: 'no-store',
    signal: AbortSignal.timeout(timeoutMs),
  });
  if (answer.status === 401 || answer.status === 403)
    return { outcome: 'refused', status: answer.status, withToken: token !== null };
  if (!answer.ok) throw new Error(`the endpoint answered with status ${answer.status}`);
  return { outcome: 'seen', picture: (await answer.json()) as Picture };
}

const authorization = (token: string | null): Record<string, string> =>
  token === null ? {} : { authorization: `Bearer ${token}` };

export type Heard =
  | { readonly heard: 'line'; readonly line: unknown }
  | {
      readonly heard: 'refused';
      readonly status: number;
      readonly body: unknown;
      readonly seconds: number | null;
    };

/** @throws when the connection breaks, or the signal is aborted */
export async function* ask(question: string, signal: AbortSignal): AsyncGenerator<Heard, void> {
  const answer = await fetch('/query/stream', {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...authorization(readToken()) },
    body: JSON.stringify({ query: question }),
    signal,
  });
  if (!answer.ok || answer.body === null) {
    const seconds = Number(answer.headers.get('retry-after') ?? Number.NaN);
    const body: unknown = await answer.json().catch(() => null);
    yield {
      heard: 'refused',
      status: answer.status,
      body,
      seconds: Number.isFinite(seconds) ? seconds : null,
    };
    return;
  }
  for await (const line of linesOf(answer.body)) yield { heard: 'line', line: JSON.parse(line) as unknown };
}

async function* linesOf(body: ReadableStream<Uint8Array>): AsyncGenerator<string, void> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = '';
  try {
    for (;;) {
      const { done, value } = await reader.read();
      const lines = (rest + (done ? decoder.decode() : decoder.decode(value, { stream: true }))).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) if (line !== '') yield line;
      if (done) break;
    }
    if (rest !== '') yield rest;
  } finally {
    reader.releaseLock();
  }
}
