/**
 * What an ingest cannot do without, and nothing else: reads files, cuts them by length, embeds, writes raw
 * floats. `node minimal-client.ts CORPUS URL OUTPUT CHARACTERS`; prints the number of its chunks.
 */
import { closeSync, globSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'undici';

const [corpus = '', url = '', output = '', characters = '2000'] = process.argv.slice(2);
const batchTexts = 64;

const size = Number(characters);
const chunks = globSync('*', { cwd: corpus })
  .sort()
  .flatMap((name) => {
    const text = readFileSync(join(corpus, name), 'utf8');
    return Array.from({ length: Math.ceil(text.length / size) }, (_, at) =>
      text.slice(at * size, (at + 1) * size),
    );
  });

const file = openSync(output, 'w');
/** One request on each: the second hides the gap behind the first. */
const clients = [new Client(url), new Client(url)];
let next = 0;

async function work(client: Client): Promise<void> {
  while (next < chunks.length) {
    const input = chunks.slice(next, (next += batchTexts));
    const body = JSON.stringify({ model: 'qwen3-embedding:8b', input });
    const { body: answer } = await client.request({ path: '/api/embed', method: 'POST', body });
    const { embeddings } = (await answer.json()) as { embeddings: number[][] };
    for (const vector of embeddings) writeSync(file, Float32Array.from(vector));
  }
}

await Promise.all(clients.map(work));
await Promise.all(clients.map((client) => client.close()));
closeSync(file);
process.stdout.write(`${chunks.length}\n`);
