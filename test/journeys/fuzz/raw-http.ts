/** HTTP/1.1 as bytes: what no well-behaved client would send, and whatever comes back. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export interface RawAnswer {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

export interface Exchange {
  readonly answers: readonly RawAnswer[];
  /** `cut`: the connection ended in the middle of an answer. `silent`: nothing came for the whole time. */
  readonly end: 'closed' | 'cut' | 'silent';
}

export interface Sent {
  readonly bytes: Buffer;
  /** `end`: nothing more comes (FIN). `reset`: the connection is torn down. `wait`: it stays open for the answer. */
  readonly after: 'end' | 'reset' | 'wait';
  /** How many requests are in the bytes, as the client sees it: HEAD is answered without a body. */
  readonly methods: readonly string[];
}

const patienceMs = 30_000;

/** One connection: everything is written, everything is read until the server closes it. */
export async function exchange(port: number, { bytes, after, methods }: Sent): Promise<Exchange> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  const pieces: Buffer[] = [];
  socket.on('data', (piece: Buffer) => pieces.push(piece));
  socket.on('error', () => undefined); // a reset by the server is an end like others
  const closed = once(socket, 'close').catch(() => undefined);
  socket.on('end', () => socket.end());
  socket.write(bytes, () => {
    if (after === 'end') socket.end();
    if (after === 'reset') socket.resetAndDestroy();
  });
  const timer = new AbortController();
  const late = sleep(patienceMs, 'late' as const, { signal: timer.signal }).catch(() => undefined);
  const isLate = (await Promise.race([closed, late])) === 'late';
  timer.abort();
  socket.destroy();
  const { answers, isWhole } = readAnswers(Buffer.concat(pieces), methods);
  return { answers, end: isLate ? 'silent' : isWhole ? 'closed' : 'cut' };
}

/** All answers in the bytes; `isWhole` when no half of one is left over. */
function readAnswers(
  bytes: Buffer,
  methods: readonly string[],
): { readonly answers: RawAnswer[]; readonly isWhole: boolean } {
  const answers: RawAnswer[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = bytes.indexOf('\r\n\r\n', at);
    if (end === -1) return { answers, isWhole: false };
    const [first = '', ...lines] = bytes.toString('latin1', at, end).split('\r\n');
    const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(first)?.[1]);
    const headers = new Map(
      lines.map((line) => [
        line.slice(0, line.indexOf(':')).toLowerCase(),
        line.slice(line.indexOf(':') + 1).trim(),
      ]),
    );
    at = end + 4;
    if (status === 100) continue;
    const isBare = methods[answers.length] === 'HEAD' || status === 204 || status === 304;
    const body = isBare ? { text: '', next: at } : readBody(bytes, at, headers);
    if (body === undefined) return { answers, isWhole: false };
    answers.push({ status, type: headers.get('content-type') ?? '', text: body.text });
    at = body.next;
  }
  return { answers, isWhole: true };
}

interface Body {
  readonly text: string;
  readonly next: number;
}

function readBody(bytes: Buffer, from: number, headers: ReadonlyMap<string, string>): Body | undefined {
  if (headers.get('transfer-encoding') === 'chunked') return readChunks(bytes, from);
  const length = headers.get('content-length');
  const next = length === undefined ? bytes.length : from + Number(length);
  return next > bytes.length ? undefined : { text: bytes.toString('utf8', from, next), next };
}

function readChunks(bytes: Buffer, from: number): Body | undefined {
  const pieces: Buffer[] = [];
  for (let at = from; ;) {
    const line = bytes.indexOf('\r\n', at);
    if (line === -1) return undefined;
    const size = Number.parseInt(bytes.toString('latin1', at, line), 16);
    const next = line + 2 + size + 2;
    if (Number.isNaN(size) || next > bytes.length) return undefined;
    if (size === 0) return { text: Buffer.concat(pieces).toString('utf8'), next };
    pieces.push(bytes.subarray(line + 2, line + 2 + size));
    at = next;
  }
}
