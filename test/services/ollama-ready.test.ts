import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempDisposable } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { codeOf } from '../../src/errors.ts';
import { unixAddress } from '../../src/models/address.ts';
import { openOllamaHttp } from '../../src/models/ollama-http.ts';
import { probeResult, proveServer } from '../../src/services/ollama-ready.ts';

for (const [status, outcome, code] of [
  [503, 'not-yet', 'model-unavailable'],
  [404, 'fatal', 'preflight'],
] as const)
  test(`a generator that is not listed and answers ${status} is ${outcome}`, async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), 'rag-ready-'));
    const server = createServer(({ url }, response) => {
      response.setHeader('content-type', 'application/json');
      if (url === '/api/chat') response.writeHead(status);
      response.end(
        JSON.stringify(
          url === '/api/version'
            ? { version: '0.33.0' }
            : url === '/api/tags'
              ? { models: [] }
              : { error: 'no' },
        ),
      );
    });
    const socket = join(folder.path, 'sock');
    await once(server.listen(socket), 'listening');
    await using http = openOllamaHttp();
    const expected = {
      role: 'generate',
      model: 'qwen3:235b',
      gpus: null,
      allowCpu: true,
      options: { num_ctx: 16_384 },
      dimensions: null,
    } as const;
    const { signal } = new AbortController();
    const started = { url: unixAddress(socket), pid: 0, log: () => [], http, signal };
    const error: unknown = await proveServer(expected, started).then(
      () => assert.fail('it is not there'),
      (reason: unknown) => reason,
    );
    assert.deepEqual([probeResult(error).outcome, codeOf(error)], [outcome, code]);
    server.closeAllConnections();
    server.close();
  });
