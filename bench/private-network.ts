/** What does it cost that a model server is reached through a relay, not through its port? `node private-network.ts` */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { setImmediate as turn } from 'node:timers/promises';
import { join } from 'node:path';
import { pickPort } from '../src/machine/ports.ts';
import { openConnections, unixAddress, type Connections } from '../src/models/address.ts';
import { secondsOf } from './process-tree.ts';
import { openScratch } from './program.ts';
import { quantile, report, type Figure } from './results.ts';

/** 64 vectors of 4096 numbers as JSON. */
const batchBytes = 3_340_000;
const [looks, batches, tokens, rounds] = [500, 40, 10_000, 3];

function serve(port: number): void {
  const batch = Buffer.alloc(batchBytes, '0.0123456789,');
  const token = `${JSON.stringify({ model: 'm', message: { role: 'assistant', content: 'word' }, done: false })}\n`;
  const server = createServer((request, response) => {
    if (request.url === '/look') response.end('{"version":"0.33.0"}');
    else if (request.url === '/batch') response.end(batch);
    else void say();
    async function say(): Promise<void> {
      for (let n = 0; n < tokens; n += 1) {
        response.write(token);
        await turn();
      }
      response.end();
    }
  });
  server.listen(port, '127.0.0.1', () => console.log('listening'));
}

const leastBytes = { '/look': 10, '/batch': batchBytes, '/tokens': 50 * tokens };
type Path = keyof typeof leastBytes;

async function timesOf(
  connections: Connections,
  address: string,
  path: Path,
  count: number,
): Promise<number[]> {
  const { origin, dispatcher } = connections.to(address);
  const times: number[] = [];
  for (let n = 0; n < count; n += 1) {
    const started = performance.now();
    const { body } = await dispatcher.request({ origin, path, method: 'GET' });
    let bytes = 0;
    for await (const piece of body as AsyncIterable<Uint8Array>) bytes += piece.length;
    times.push(performance.now() - started);
    if (bytes < leastBytes[path]) throw new Error(`${path}: ${bytes} bytes came`);
  }
  return times;
}

interface Measured {
  readonly direct: number[];
  readonly relayed: number[];
  /** CPU seconds of the relay. */
  readonly seconds: number;
}

async function measure(): Promise<void> {
  using scratch = openScratch();
  const socket = join(scratch.path, '1.sock');
  const port = await pickPort('bench/private-network');
  const program = join(import.meta.dirname, '../src/services/private-server.ts');
  const server = [process.execPath, import.meta.filename, 'serve', String(port)];
  const child = spawn(process.execPath, [program, socket, String(port), '--', ...server], {
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  });
  const pid = child.pid ?? 0;
  try {
    await once(createInterface({ input: child.stdout }), 'line');
    await using connections = openConnections({});
    const direct = `http://127.0.0.1:${port}`;
    const relayed = unixAddress(socket);
    await untilOpen(connections, relayed);
    const both = async (path: Path, count: number): Promise<Measured> => {
      const times = { direct: [] as number[], relayed: [] as number[] };
      const before = secondsOf(pid);
      // In turns, so that whatever else the machine does meets both.
      for (let round = 0; round < rounds; round += 1) {
        times.direct.push(...(await timesOf(connections, direct, path, count)));
        times.relayed.push(...(await timesOf(connections, relayed, path, count)));
      }
      return { ...times, seconds: secondsOf(pid) - before };
    };
    await both('/look', looks); // warms all up
    const look = await both('/look', looks);
    tell(look, await both('/batch', batches), await both('/tokens', 1), ownMiB(pid));
  } finally {
    process.kill(-pid, 'SIGKILL');
    await once(child, 'close');
  }
}

const ownMiB = (pid: number): number =>
  Number(/RssAnon:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]) / 1024;

async function untilOpen(connections: Connections, address: string): Promise<void> {
  while ((await timesOf(connections, address, '/look', 1).catch(() => [])).length === 0) await turn();
}

function tell(look: Measured, batch: Measured, stream: Measured, relayMiB: number): void {
  const median = ({ direct, relayed }: Measured): [number, number] => [
    quantile(direct, 0.5),
    quantile(relayed, 0.5),
  ];
  const [lookDirect, lookRelayed] = median(look);
  const [batchDirect, batchRelayed] = median(batch);
  const [streamDirect, streamRelayed] = median(stream);
  const megabytes = (rounds * batches * batchBytes) / 1e6;
  const figures: Figure[] = [
    { what: 'a short answer over the port, median', value: lookDirect, unit: 'ms' },
    { what: 'the same through the relay', value: lookRelayed, unit: 'ms' },
    { what: 'added by the relay', value: lookRelayed - lookDirect, unit: 'ms', atMost: 0.2 },
    { what: '3.34 MB of vectors over the port, median', value: batchDirect, unit: 'ms' },
    { what: 'the same through the relay', value: batchRelayed, unit: 'ms' },
    { what: 'ratio', value: batchRelayed / batchDirect, atMost: 1.5 },
    { what: 'CPU of the relay a megabyte', value: (1000 * batch.seconds) / megabytes, unit: 'ms', atMost: 1 },
    { what: 'tokens a second over the port, as fast as can be', value: (1000 * tokens) / streamDirect },
    { what: 'the same through the relay', value: (1000 * tokens) / streamRelayed },
    {
      what: 'CPU of the relay a token',
      value: (1e6 * stream.seconds) / (rounds * tokens),
      unit: 'µs',
      atMost: 20,
    },
    {
      what: 'memory of the relay, without what it shares with other Node processes',
      value: relayMiB,
      unit: 'MiB',
    },
  ];
  report(import.meta.url, 'What does it cost that a model server is reached through a relay?', figures, [
    'One server, one client, one run: over the port and through the relay in turns.',
    'A model says some tens of tokens a second and takes tens of milliseconds for a batch of embeddings.',
  ]);
}

const [verb, portOfServer] = process.argv.slice(2);
if (verb === 'serve') serve(Number(portOfServer));
else await measure();
