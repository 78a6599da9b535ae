/** Asks /retrieve from a process of its own: `node retrieve-client.ts URL SOCKET|- QUERIES.json CALLERS`. */
import { readFileSync } from 'node:fs';
import { Client } from 'undici';

const [url = '', socketPath = '-', file = '', callers = '1'] = process.argv.slice(2);
const queries = JSON.parse(readFileSync(file, 'utf8')) as string[];
const headers = { 'content-type': 'application/json' };
const times: number[] = [];
let next = 0;

/** One connection, one question after the other. */
async function call(): Promise<void> {
  const client = new Client(url, socketPath === '-' ? {} : { socketPath });
  for (let at = next++; at < queries.length; at = next++) {
    const body = JSON.stringify({ queries: [queries[at]], topk: 5, return_scores: true });
    const started = performance.now();
    const answer = await client.request({ path: '/retrieve', method: 'POST', headers, body });
    const { result } = (await answer.body.json()) as { result: unknown[][] };
    times.push(performance.now() - started);
    if (result[0]?.length !== 5) throw new Error(`Not five hits: ${JSON.stringify(result)}`);
  }
  await client.close();
}

await Promise.all(Array.from({ length: Number(callers) }, call));
process.stdout.write(JSON.stringify(times));
