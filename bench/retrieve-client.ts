/** Asks /retrieve again and again, from a process of its own: `node retrieve-client.ts URL SOCKET|- QUERIES.json`. */
import { readFileSync } from 'node:fs';
import { Client } from 'undici';

const [url = '', socketPath = '-', file = ''] = process.argv.slice(2);
const queries = JSON.parse(readFileSync(file, 'utf8')) as string[];
const client = new Client(url, socketPath === '-' ? {} : { socketPath });
const headers = { 'content-type': 'application/json' };
const times: number[] = [];
for (const query of queries) {
  const body = JSON.stringify({ queries: [query], topk: 5, return_scores: true });
  const started = performance.now();
  const answer = await client.request({ path: '/retrieve', method: 'POST', headers, body });
  const { result } = (await answer.body.json()) as { result: unknown[][] };
  times.push(performance.now() - started);
  if (result[0]?.length !== 5) throw new Error(`Not five hits: ${JSON.stringify(result)}`);
}
await client.close();
process.stdout.write(JSON.stringify(times));
