import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { RagError } from '../../src/errors.ts';
import { openOllamaHttp } from '../../src/models/ollama-http.ts';
import type { OllamaHttp } from '../../src/models/ollama-http.ts';
import type { OllamaOptions } from '../../src/services/ollama.ts';
import type { ServedModel } from '../../src/services/ollama-ready.ts';
import { startTree } from '../../src/supervise/tree.ts';
import type { ChildSpec, Tree } from '../../src/supervise/spec.ts';
import { fakeBin } from '../fixtures/fake-ollama/start.ts';

export interface Bench extends AsyncDisposable {
  readonly dir: string;
  readonly http: OllamaHttp;
  /** Every time a server became ready. */
  readonly served: ServedModel[];
  /** What `ollamaSpec` needs, for the fake. */
  options(knobs?: Readonly<Record<string, string>>): OllamaOptions;
  /** Starts a tree that is stopped with the bench. */
  start(...specs: ChildSpec[]): Tree;
  /** Something else that ends with the bench: the last that came first. */
  keep<Kept extends AsyncDisposable>(kept: Kept): Kept;
  /** What each start of the fake was given. */
  starts(): Promise<{ argv: string[]; cwd: string; env: Record<string, string> }[]>;
}

/** How a tree ended by itself, within bounds: a test of a failure that does not come must fail, not hang. */
export async function endOf(tree: Tree): Promise<RagError> {
  const late = once(soon(), 'abort').then(() => assert.fail('the tree did not end'));
  const end = await Promise.race([tree.ended, late]);
  assert.equal(end.outcome, 'failed');
  return end.error as RagError;
}

/** Until a child is ready after so many restarts: at once after its end it still looks ready. */
export function restarted(tree: Tree, id: string, restarts: number): Promise<void> {
  const isThere = (): boolean =>
    tree
      .statuses()
      .some((each) => each.id === id && each.restarts >= restarts && each.current.state === 'ready');
  return new Promise((resolve, reject) => {
    const look = (): void => {
      if (!isThere()) return;
      remove();
      resolve();
    };
    const remove = tree.onChange(look);
    void once(soon(), 'abort').then(() => reject(new Error(`${id} was not started again`)));
    look();
  });
}

export const soon = (): AbortSignal => AbortSignal.timeout(10_000);

/** A folder, a tree and their end. */
export async function openBench(): Promise<Bench> {
  const dir = await mkdtemp(path.join(tmpdir(), 'serving-'));
  const http = openOllamaHttp();
  const served: ServedModel[] = [];
  const kept: AsyncDisposable[] = [];
  const keep = <Kept extends AsyncDisposable>(one: Kept): Kept => {
    kept.push(one);
    return one;
  };
  return {
    dir,
    http,
    served,
    options: (knobs = {}) => ({
      id: 'ollama-embed',
      role: 'embed',
      bin: fakeBin,
      modelsDir: path.join(dir, 'models'),
      model: 'qwen3-embedding:8b',
      gpus: ['GPU-a', 'GPU-b'],
      baseEnv: { PATH: process.env['PATH'] ?? '', FAKE_OLLAMA_RECORD: path.join(dir, 'record'), ...knobs },
      stateDir: path.join(dir, 'state'),
      logFile: path.join(dir, 'ollama.log'),
      options: { num_ctx: 512, num_batch: 512 },
      dimensions: 64,
      network: 'shared',
      portSeed: dir,
      preferredPort: 0,
      graceMs: 10_000,
      startTimeoutMs: 5_000,
      allowCpu: false,
      supervisorId: 'test.1',
      http,
      onReady: (model) => void served.push(model),
    }),
    start(...specs) {
      const budget = { intensity: 2, periodMs: 60_000, backoff: { baseMs: 10, capMs: 20 } };
      return keep(startTree(specs, { budget }));
    },
    keep,
    async starts() {
      const record = path.join(dir, 'record');
      const names = await readdir(record);
      return Promise.all(
        names.map(async (name) => JSON.parse(await readFile(path.join(record, name), 'utf8'))),
      );
    },
    async [Symbol.asyncDispose]() {
      for (const one of kept.toReversed()) await one[Symbol.asyncDispose]();
      await http[Symbol.asyncDispose]();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

export interface Foreign extends AsyncDisposable {
  readonly listen: (port: number) => Promise<void>;
  readonly asked: () => number;
}

/** Another user's server, which answers as well as ours. */
export function openForeign(): Foreign {
  let asked = 0;
  const server = createServer((_, response) => {
    asked += 1;
    response.end('{"version":"0.33.0","models":[]}');
  });
  return {
    asked: () => asked,
    async listen(port) {
      server.listen(port, '127.0.0.1');
      await once(server, 'listening');
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
