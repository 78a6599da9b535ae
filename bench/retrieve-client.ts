/** Asks /retrieve from a process of its own: `node retrieve-client.ts URL SOCKET|- QUERIES.json CALLERS`. */
import { readFileSync } from 'node:fs';
import { Client } from 'undici';

const [url = '', socketPath = '-', file = '', callers = '1'] = process.argv.slice(2);
const queries = JSON.parse(readFileSync(file, 'utf8')) as string[];
const headers = { 'content-type': 'application/json' };
const times: number[] = [];
let next = 0;

async function ask(client: Client, query: string): Promise<void> {
  const body = JSON.stringify({ queries: [query], topk: 5, return_scores: true });
  const answer = await client.request({ path: '/retrieve', method: 'POST', headers, body });
  const { result } = (await answer.body.json()) as { result: unknown[][] };
  if (result[0]?.length !== 5) throw new Error(`Not five hits: ${JSON.stringify(result)}`);
}

/** A client that lives for days has long been compiled; the hits of one question are at hand after the first time. */
const warmUps = 500;

/** One connection, one question after the other. */
async function call(): Promise<void> {
  const client = new Client(url, socketPath === '-' ? {} : { socketPath });
  for (let n = 0; n < warmUps; n += 1) await ask(client, 'warm up');
  for (let at = next++; at < queries.length; at = next++) {
    const started = performance.now();
    await ask(client, queries[at] ?? '');
    times.push(performance.now() - started);
  }
  await client.close();
}

await Promise.all(Array.from({ length: Number(callers) }, call));
process.stdout.write(JSON.stringify(times));
