/** Sends malformed requests to a service and says what was not right about its answers. */
import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import type { OpenApi } from '../../../src/serve/contract/openapi.ts';
import { type Promises, promisesOf } from '../../serve/contract/promises.ts';
import { type Malformed, malformedRequests } from './malformed.ts';
import { exchange, type Exchange, type RawAnswer } from './raw-http.ts';

export interface Fuzzed {
  /** By status; `-` for a connection that ended without an answer. */
  readonly statuses: Readonly<Record<string, number>>;
  readonly findings: readonly Finding[];
  /** Resident memory in MiB, before and after each tenth: the supervisor and all of its children. */
  readonly residentMiB: readonly number[];
  readonly seconds: number;
}

export interface Finding {
  readonly what: string;
  readonly kind: string;
  /** The bytes as latin1, cut. */
  readonly request: string;
}

export interface FuzzOptions {
  readonly url: string;
  /** Of the supervisor. */
  readonly pid: number;
  readonly count: number;
  readonly seed: number;
}

/** Connections at once. */
const lanes = 8;

export async function fuzz({ url, pid, count, seed }: FuzzOptions): Promise<Fuzzed> {
  const get = async (path: string): Promise<unknown> => (await fetch(`${url}${path}`)).json();
  const document = (await get('/openapi.json')) as OpenApi;
  const { models } = (await get('/api/tags')) as { models: { name: string }[] };
  const requests = malformedRequests(
    document,
    models.map(({ name }) => name),
  );
  const promises = promisesOf(document);
  const port = Number(new URL(url).port);
  const statuses: Record<string, number> = {};
  const findings: Finding[] = [];
  const residentMiB = [residentOf(pid)];
  const started = performance.now();
  const tenths = Array.from({ length: 10 }, (_, at) => at);
  for (const tenth of tenths) {
    // Made when they are needed: some are large.
    const queue = fc.sample(requests, { numRuns: Math.ceil(count / 10), seed: seed + tenth });
    const lane = async (): Promise<void> => {
      for (let request = queue.pop(); request !== undefined; request = queue.pop()) {
        const said = await exchange(port, request);
        const names = said.answers.length === 0 ? ['-'] : said.answers.map(({ status }) => String(status));
        for (const name of names) statuses[name] = (statuses[name] ?? 0) + 1;
        const what = wrongWith(request, said, promises);
        if (what !== undefined) findings.push({ what, kind: request.kind, request: shown(request) });
      }
    };
    await Promise.all(Array.from({ length: lanes }, lane));
    residentMiB.push(residentOf(pid));
  }
  return { statuses, findings, residentMiB, seconds: (performance.now() - started) / 1000 };
}

function wrongWith(
  { after, asked }: Malformed,
  { answers, end }: Exchange,
  promises: Promises,
): string | undefined {
  if (end === 'silent') return 'no answer, and the connection stays open';
  if (end === 'cut' && after !== 'reset') return 'the answer is cut in the middle';
  if (answers.length === 0 && after === 'wait') return 'the connection is closed without an answer';
  for (const [at, answer] of answers.entries()) {
    const { method, path, isSure } = asked[at] ?? { method: '', path: '', isSure: false };
    const problem = isSure ? promises.brokenBy(method, path, answer) : wrongError(answer, path);
    if (problem !== undefined) return problem;
    if (answer.status >= 500 && answer.text.includes('"code":"bug"')) return `a bug: ${answer.text}`;
  }
  return undefined;
}

/**
 * Whatever it was that was refused. HEAD is answered without a body; what Ollama itself refuses comes as it says it.
 *
 * @param path that it may still have gone to
 */
function wrongError({ status, type, text }: RawAnswer, path: string): string | undefined {
  if (status < 400) return undefined;
  if (text === '') return type === '' ? `${status} without a body` : undefined;
  try {
    const { error, detail, code } = JSON.parse(text) as {
      error?: Record<string, unknown> | string;
      /** Where Ollama's clients ask, who show the error as a text. */
      code?: string;
      detail?: unknown;
    };
    if (typeof error === 'string' && (code !== undefined || path.startsWith('/api/'))) return undefined;
    if (Array.isArray(detail) || (typeof error === 'object' && isProblem(error))) return undefined;
    return `${status} in another shape: ${text}`;
  } catch {
    return `${status} is no JSON: ${text.slice(0, 200)}`;
  }
}

const isProblem = ({ code, message, hint }: Readonly<Record<string, unknown>>): boolean =>
  typeof code === 'string' && typeof message === 'string' && (hint === null || typeof hint === 'string');

const shown = ({ bytes, after }: Malformed): string =>
  `${JSON.stringify(bytes.toString('latin1').slice(0, 600))} (${bytes.length} bytes, then ${after})`;

/** MiB of the process and of everything below it, by the kernel: heaps, buffers and native memory. */
function residentOf(pid: number): number {
  const read = (file: string): string => {
    try {
      return readFileSync(`/proc/${file}`, 'utf8');
    } catch {
      return ''; // it has gone
    }
  };
  const own = Number(/^VmRSS:\s+(\d+) kB/m.exec(read(`${pid}/status`))?.[1] ?? 0) / 1024;
  const children = read(`${pid}/task/${pid}/children`).trim().split(' ');
  return children
    .filter((child) => child !== '')
    .reduce((sum, child) => sum + residentOf(Number(child)), own);
}
