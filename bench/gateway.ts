/** What does the gateway add to answers of a model server? `node gateway.ts` */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { Agent as HttpAgent, createServer, request } from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent } from 'undici';
import { makeFlights } from '../src/models/flights.ts';
import { openEndpoint } from '../src/serve/serve.ts';
import { secondsOf } from './process-tree.ts';
import { openScratch, standIn } from './program.ts';
import { quantile, report, type Figure } from './results.ts';

const model = 'qwen3:235b';
/** As a person reads and a model of 8b writes on one GPU: 50 tokens a second to each. */
const [streams, tokens, msPerToken, slowReaders] = [50, 50, 20, 10];
/** A round in which a relay that does nothing adds more than a millisecond is the machine's and not the gateway's. */
const [wantedRounds, mostRounds, quietMs] = [6, 12, 1];

/** The gateway, in a process of its own, before one model server. */
async function serve(url: string, socketPath: string): Promise<void> {
  const endpoint = await openEndpoint({
    work: { retrieve: () => Promise.resolve([]), query: () => Promise.reject(new Error('Not here')) },
    ollama: {
      models: [{ role: 'generate', model }],
      instances: (role) => (role === 'generate' ? [{ id: 'one', url, model }] : []),
      onChange: () => () => undefined,
      frozen: () => ({ num_ctx: 4096 }),
      flights: makeFlights(),
    },
    host: '127.0.0.1',
    port: 0,
    socketPath,
    ownerUid: process.getuid?.() ?? 0,
    defaultTopk: 5,
    state: () => ({}),
    readiness: () => ({ ready: true, missing: [] }),
  });
  console.log(endpoint.url);
}

/** The least that a process between two others can do. */
function relay(url: string): void {
  const to = new HttpAgent({ keepAlive: true });
  const server = createServer((asked, reply) => {
    const { method, headers, url: path } = asked;
    const onward = request(`${url}${path}`, { method, headers, agent: to }, (answer) => answer.pipe(reply));
    reply.on('close', () => onward.destroy());
    asked.pipe(onward.on('error', () => reply.destroy()));
  });
  server.listen(0, '127.0.0.1', () => {
    const address = server.address();
    if (typeof address === 'object') console.log(`http://127.0.0.1:${address?.port}`);
  });
}

type Api = '/api/chat' | '/v1/chat/completions';

/** In milliseconds. */
interface Seen {
  /** From the server's hand to the client's, token by token. */
  readonly late: number[];
  /** From the request to the first token, without what the server itself waits. */
  readonly first: number[];
  readonly lost: number;
}

const body = JSON.stringify({ model, messages: [{ role: 'user', content: 'Go on.' }], stream: true });
const agent = new Agent({ connections: null, headersTimeout: 0, bodyTimeout: 0 });
const now = (): number => performance.timeOrigin + performance.now();

/** The time in each token, of either API. */
const timesIn = (text: string): number[] =>
  [...text.matchAll(/"content":"(\d+\.?\d*)"/gv)].map(([, at]) => Number(at));

async function listen(origin: string, path: Api): Promise<Seen> {
  const askedAt = now();
  const headers = { 'content-type': 'application/json' };
  const answer = await agent.request({ origin, path, method: 'POST', body, headers });
  const late: number[] = [];
  const first: number[] = [];
  let rest = '';
  for await (const piece of answer.body as AsyncIterable<Buffer>) {
    const at = now();
    const text = rest + piece.toString();
    const end = text.lastIndexOf('\n') + 1;
    rest = text.slice(end);
    for (const left of timesIn(text.slice(0, end))) {
      if (late.length === 0) first.push(at - Math.max(askedAt, left));
      late.push(at - left);
    }
  }
  return { late, first, lost: tokens - late.length };
}

/** All at once. */
async function listenAll(origin: string, path: Api): Promise<Seen> {
  const all = await Promise.all(Array.from({ length: streams }, () => listen(origin, path)));
  return {
    late: all.flatMap(({ late }) => late),
    first: all.flatMap(({ first }) => first),
    lost: all.reduce((sum, { lost }) => sum + lost, 0),
  };
}

const together = (...seen: Seen[]): Seen => ({
  late: seen.flatMap(({ late }) => late),
  first: seen.flatMap(({ first }) => first),
  lost: seen.reduce((sum, { lost }) => sum + lost, 0),
});

/** Clients that ask for 64 MiB and never read of it, until they are let go. */
function startSlowReaders(origin: string): () => void {
  const asked = Array.from({ length: slowReaders }, () =>
    request(`${origin}/api/chat`, {
      method: 'POST',
      agent: false,
      headers: { 'content-type': 'application/json' },
    })
      .on('error', () => undefined)
      .on('response', (incoming) => incoming.on('error', () => undefined).pause()),
  );
  const huge = JSON.stringify({ ...JSON.parse(body), options: { num_predict: 1e6 } });
  asked.forEach((outgoing) => outgoing.end(huge));
  return () => asked.forEach((outgoing) => outgoing.destroy());
}

/** @returns the child and the first line that it prints */
async function start(
  words: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<[ChildProcess, string]> {
  const child = spawn(process.execPath, words, {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { PATH: process.env['PATH'], ...env },
  });
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  return [child, line];
}

async function measure(): Promise<void> {
  using scratch = openScratch();
  const speaks = { STAND_IN_TOKENS: String(tokens), STAND_IN_TOKEN_MS: String(msPerToken) };
  const [server, port] = await start([standIn], { ...speaks, OLLAMA_HOST: '127.0.0.1:0' });
  const direct = `http://127.0.0.1:${port}`;
  const [gateway, url] = await start(
    [import.meta.filename, 'serve', direct, join(scratch.path, 'e', 'rag.sock')],
    {},
  );
  const [relaying, relayed] = await start([import.meta.filename, 'relay', direct], {});
  try {
    for (const origin of [direct, url, relayed]) await listenAll(origin, '/api/chat'); // warms all up
    const rounds: Round[] = [];
    while (rounds.filter(isQuiet).length < wantedRounds && rounds.length < mostRounds) {
      // In turns, so that whatever else the machine does meets all.
      const atFirst = {
        direct: await listenAll(direct, '/api/chat'),
        relay: await listenAll(relayed, '/api/chat'),
      };
      const before = secondsOf(gateway.pid ?? 0);
      const through = await listenAll(url, '/api/chat');
      const seconds = secondsOf(gateway.pid ?? 0) - before;
      const openai = await listenAll(url, '/v1/chat/completions');
      const letGo = startSlowReaders(url);
      rounds.push({
        ...atFirst,
        gateway: through,
        openai,
        pouring: await listenAll(url, '/api/chat'),
        beside: await listenAll(url, '/api/chat'),
        seconds,
      });
      letGo();
      await sleep(100);
    }
    tell(rounds);
  } finally {
    server.kill('SIGKILL');
    gateway.kill('SIGKILL');
    relaying.kill('SIGKILL');
    await agent.destroy();
  }
}

/**
 * `pouring`: the server gives ten answers as fast as loopback takes them, which no model does, until what may wait is full.
 * `beside`: they stand still.
 */
type Way = 'direct' | 'relay' | 'gateway' | 'openai' | 'pouring' | 'beside';

interface Round extends Readonly<Record<Way, Seen>> {
  /** CPU of the gateway. */
  readonly seconds: number;
}

const isQuiet = ({ direct, relay: relayed }: Round): boolean =>
  quantile(relayed.late, 0.5) - quantile(direct.late, 0.5) < quietMs;

function tell(all: readonly Round[]): void {
  const quiet = all.filter(isQuiet);
  const rounds = quiet.length > 0 ? quiet : all;
  const of = (way: Way): Seen => together(...rounds.map((round) => round[way]));
  const [direct, relayed, gateway, openai, pouring, beside] = [
    of('direct'),
    of('relay'),
    of('gateway'),
    of('openai'),
    of('pouring'),
    of('beside'),
  ];
  const lost = all.reduce(
    (sum, round) => sum + round.gateway.lost + round.openai.lost + round.pouring.lost + round.beside.lost,
    0,
  );
  const seconds = rounds.reduce((sum, round) => sum + round.seconds, 0);
  const late = ({ late: times }: Seen, share: number): number => quantile(times, share);
  const added = (of: Seen, share = 0.5): number => late(of, share) - late(direct, share);
  const figures: Figure[] = [
    { what: 'a token, from the server to the client, direct, median', value: late(direct, 0.5), unit: 'ms' },
    { what: 'the same through the gateway', value: late(gateway, 0.5), unit: 'ms' },
    { what: 'added to a token, median', value: added(gateway), unit: 'ms', atMost: 1 },
    { what: 'added to a token, 95th percentile', value: added(gateway, 0.95), unit: 'ms' },
    {
      what: 'added by a relay of node:http that does nothing else, median',
      value: added(relayed),
      unit: 'ms',
    },
    { what: 'the same, 95th percentile', value: added(relayed, 0.95), unit: 'ms' },
    {
      what: 'added to the first token, median',
      value: quantile(gateway.first, 0.5) - quantile(direct.first, 0.5),
      unit: 'ms',
      atMost: 1,
    },
    { what: 'added by OpenAI’s API, median', value: added(openai), unit: 'ms', atMost: 1 },
    {
      what: `added beside ${slowReaders} clients that never read their 64 MiB, median`,
      value: added(beside),
      unit: 'ms',
      atMost: 1,
    },
    { what: 'the same, 95th percentile', value: added(beside, 0.95), unit: 'ms' },
    {
      what: `added while ${slowReaders} x 64 MiB come all at once, until what may wait is full, median`,
      value: added(pouring),
      unit: 'ms',
      atMost: 1,
    },
    { what: 'the same, 95th percentile', value: added(pouring, 0.95), unit: 'ms' },
    { what: 'tokens lost', value: lost, atMost: 0 },
    {
      what: 'CPU of the gateway a token',
      value: (1e6 * seconds) / (rounds.length * streams * tokens),
      unit: 'µs',
    },
  ];
  report(
    import.meta.url,
    `What does the gateway add to ${streams} answers that are streamed at once, ${1000 / msPerToken} tokens a second each?`,
    figures,
    [
      `${rounds.length} of ${all.length} rounds of ${streams} x ${tokens} tokens each way, in turns: those in which the relay added less than ${quietMs} ms, because in the others the cores had more to do than this. Of lost tokens all are counted.`,
      `The server writes all at once; an Ollama that does not is given two at a time, the others wait in line.`,
      'Server, gateway and clients share the cores. A token holds the time at which it left the server.',
    ],
  );
}

const [verb, url = '', socketPath = ''] = process.argv.slice(2);
if (verb === 'serve') await serve(url, socketPath);
else if (verb === 'relay') relay(url);
else await measure();
