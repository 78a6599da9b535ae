import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, test } from 'node:test';
import { RagError } from '../../src/errors.ts';
import type { FoundService } from '../../src/services/find-service.ts';
import { remoteSpec } from '../../src/services/remote.ts';
import type { ChildSpec } from '../../src/supervise/spec.ts';
import { type Fake, startFake } from '../fixtures/fake-ollama/start.ts';
import { watchLeaks } from '../leaks.ts';
import { type Bench, endOf, openBench, restarted, soon } from './serving.ts';

const leaks = watchLeaks();
after(() => leaks.assertNone());

const nobody = new RagError(
  'preflight',
  'Cannot use a published service: there is none, a live one is wanted',
);

interface WayTo {
  published: Pick<Fake, 'url'> | undefined;
  readonly spec: ChildSpec;
  /** What people were told while it waited. */
  readonly told: string[];
}

/** What is published: nothing, until somebody is put there. */
function wayTo(bench: Bench, startTimeoutMs: number): WayTo {
  const told: string[] = [];
  const way: WayTo = {
    published: undefined,
    told,
    spec: remoteSpec({
      onWait: (line) => void told.push(line),
      ...bench.options(),
      startTimeoutMs,
      id: 'remote-embed',
      find: () => {
        const url = way.published?.url;
        const found: FoundService | undefined =
          url === undefined ? undefined : { url, tokenFile: undefined, name: url };
        return found === undefined ? Promise.reject(nobody) : Promise.resolve(found);
      },
    }),
  };
  return way;
}

/** Somebody asks, and so it is seen at once that nobody is there. */
const ask = (bench: Bench): Promise<unknown> =>
  bench.http
    .json({ url: bench.served.at(-1)?.url ?? '', path: '/api/version', signal: soon() })
    .catch(() => undefined);

async function endOfFirst(bench: Bench, startTimeoutMs: number) {
  const way = wayTo(bench, startTimeoutMs);
  const first = await startFake();
  way.published = first;
  const tree = bench.start(way.spec);
  await tree.untilReady(['remote-embed'], soon());
  way.published = undefined;
  await first[Symbol.asyncDispose]();
  return { way, tree };
}

test('when the service has ended its successor takes its place as soon as it is published', async () => {
  await using bench = await openBench();
  const { way, tree } = await endOfFirst(bench, 10_000);
  await ask(bench);
  const second = bench.keep(await startFake());
  way.published = second;
  await restarted(tree, 'remote-embed', 1);
  assert.equal(bench.served.length, 2);
  assert.equal(way.told.length, 1, 'once, for a wait of seconds');
  assert.match(way.told[0] ?? '', /^waits for a live service, \d+ s more at most: .*there is none/);
});

test('what everybody on the node can read of the way to it, its arguments, leads nowhere', async () => {
  await using bench = await openBench();
  const service = bench.keep(await startFake());
  const way = wayTo(bench, 10_000);
  way.published = service;
  const tree = bench.start(way.spec);
  await tree.untilReady(['remote-embed'], soon());
  const words = await readFile(`/proc/${tree.running('remote-embed')?.pid}/cmdline`, 'utf8');
  assert.match(words, /relay.*1\.sock/);
  assert.doesNotMatch(words, /http:/);
});

test('when no successor is published in time the reason says so, with what to submit', async () => {
  await using bench = await openBench();
  const { tree } = await endOfFirst(bench, 0);
  await ask(bench);
  const { code, message, hint } = await endOf(tree);
  assert.equal(code, 'service-failed');
  assert.match(message, /there is none, a live one is wanted; waited 0 s for one/);
  assert.match(hint ?? '', /sbatch\/ollama_service\.sbatch/);
});

test('a successor with other weights under the same name is refused', async () => {
  await using bench = await openBench();
  const { way, tree } = await endOfFirst(bench, 10_000);
  const store = join(bench.dir, 'store');
  const place = join(store, 'manifests/registry.ollama.ai/library/qwen3-embedding');
  const digest = `sha256:${'b'.repeat(64)}`;
  const layer = { digest, size: 4, mediaType: 'application/vnd.ollama.image.model' };
  await mkdir(place, { recursive: true });
  await mkdir(join(store, 'blobs'));
  await writeFile(join(store, 'blobs', digest.replace(':', '-')), 'GGUF');
  await writeFile(join(place, '8b'), JSON.stringify({ config: layer, layers: [layer] }));
  way.published = bench.keep(await startFake({ OLLAMA_MODELS: store, OLLAMA_NOPRUNE: '1' }));
  await ask(bench);
  assert.match((await endOf(tree)).message, /qwen3-embedding:8b .* has other weights than before/);
});

/** A service in front of a server that does not generate before it was asked so often; meanwhile it says when it will. */
async function startPostponing(service: Fake, times: number): Promise<Pick<Fake, 'url'> & AsyncDisposable> {
  let left = times;
  const server = createServer((request, response) => {
    const pass = async (): Promise<void> => {
      if (left > 0 && request.url === '/api/tags') return void response.end('{"models":[]}');
      if (left > 0 && request.url === '/api/chat') {
        left -= 1;
        response.writeHead(503, { 'retry-after': '2' });
        return void response.end(
          '{"error":{"code":"model-unavailable","message":"Cannot generate yet: 7 of 9"}}',
        );
      }
      const body = request.method === 'POST' ? await text(request) : undefined;
      const answer = await fetch(`${service.url}${request.url}`, {
        method: request.method ?? 'GET',
        body: body ?? null,
      });
      response.writeHead(answer.status).end(await answer.text());
    };
    void pass();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

test('a generator that starts later is waited for as long as its service says when, and people hear of it', async () => {
  await using bench = await openBench();
  const service = bench.keep(await startPostponing(bench.keep(await startFake()), 3));
  const told: string[] = [];
  const spec = remoteSpec({
    ...bench.options(),
    id: 'remote-generate',
    role: 'generate',
    model: 'qwen3:235b',
    dimensions: null,
    find: async () => ({ url: service.url, tokenFile: undefined, name: 'it' }),
    onWait: (line) => void told.push(line),
  });
  // Of its own it has less than that.
  const tree = bench.start({ ...spec, readiness: { ...spec.readiness, timeoutMs: 5000, progress: () => 0 } });
  await tree.untilReady(['remote-generate'], AbortSignal.timeout(60_000));
  assert.equal(tree.statuses()[0]?.restarts, 0);
  assert.deepEqual(told, ['waits: Cannot use qwen3:235b yet: Cannot generate yet: 7 of 9']);
});
